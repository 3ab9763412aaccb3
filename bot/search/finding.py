"""Looking something up: a few words in, what was found and may be shown out.

What the index finds is read from the database again and shown as it stands there, by the rights of who asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.days import holds
from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.directory.tables import Organisation, Person, Posting
from bot.directory.visibility import Owned, level_of, sees
from bot.routing.rules import Rules
from bot.routing.spelling import keys
from bot.search.hits import Hit
from bot.search.index import Index, minute
from bot.search.questions import in_charge, wider
from bot.search.ranking import ENOUGH, Asked, Part, Ranked, Viewer, by_number, rank, visible, without_numbers
from bot.search.words import Lexicon

NAMED = 0.85  # what is found as well is called so, and is not asked as a topic
SURE = 0.68  # what is found less well comes near, even if every word was found somehow
LONGEST = 300  # characters that are looked at
_ASKED_TOO = 0.82  # beside what is called so: who is in charge, should that be meant
_CALLED_MORE = 0.81  # « Moselle » is the Moselle: whose name says more is offered beside
_OFFICES = 4  # of one organisation may be found as well
_SPARE = 5  # hits that may turn out, when their rows are read, to be hidden since


@dataclass(frozen=True, slots=True)
class Source:
    """Where to look: an index, what changed since it was made, the directory and the words of routing."""

    index: Index
    newer: Index | None
    stale: frozenset[str]  # ids whose entries in `index` are older than those in `newer`
    directory: Snapshot
    lexicon: Lexicon
    rules: Rules


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    id: str
    role: str
    organisation: str
    score: float
    fit: float
    complete: bool


def find(
    session: Session, source: Source, text: str, *, limit: int, visible_to: Actor | None, at: datetime
) -> list[Hit]:
    """Return the best `limit` of what is found and `visible_to` may see now; strangers (None) see nothing.

    Without a complete hit they are what comes near.
    """
    text = text[:LONGEST].strip()
    if visible_to is None or level_of(visible_to) < 0:
        return []
    viewer = Viewer(level_of(visible_to), (visible_to.organisation, visible_to.person), minute(at))
    entries = _told_apart(_entries(source, text, _Asker(viewer, visible_to, at.date()), limit))
    hits = _shown(session, source, entries[: limit + _SPARE], visible_to, at)
    called = _called(source, text, hits)
    hits = [hit if hit.id in called or not called else _beside(hit) for hit in hits]
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def _called(source: Source, text: str, hits: Sequence[Hit]) -> set[str]:
    """Return the organisations found whose whole name was typed, but for how all of their kind are called."""
    typed, lexicon = set(source.lexicon.tokens(without_numbers(text))), source.lexicon
    found: set[str] = set()
    for hit in hits:
        row = source.directory.organisations.get(hit.id) if hit.kind == "organisation" and hit.sure else None
        if row is not None:
            name = set(keys(row.short_name or row.name)).difference(
                lexicon.kinds.get(row.kind, ()), lexicon.ignored, (row.territory.casefold(),)
            )
            found |= {hit.id} if name and name <= typed else set()
    return found


def _beside(hit: Hit) -> Hit:
    return replace(hit, score=round(_CALLED_MORE * hit.score, 3)) if hit.kind == "organisation" else hit


@dataclass(frozen=True, slots=True)
class _Asker:
    viewer: Viewer
    actor: Actor
    on: date


def _entries(source: Source, text: str, asker: _Asker, limit: int) -> Iterator[_Entry]:
    parts = _parts(source, asker.viewer)
    exact = [entry for part in parts for entry in _exact(part, text, asker.viewer)]
    yield from exact
    tokens = source.lexicon.tokens(without_numbers(text))
    if exact or not tokens:
        return
    best = _ranked(parts, source.lexicon, tokens, asker.viewer, limit)
    named = [entry for entry in best[:1] if entry.complete and entry.score >= NAMED]
    yield from named
    for recipient in in_charge(text, source.lexicon, source.rules, source.directory, asker.actor, asker.on):
        score = _ASKED_TOO * named[0].score if named else 1.0
        yield _Entry(
            "office", recipient.organisation, recipient.role, recipient.organisation, score, 1.0, complete=True
        )
    if not any(entry.complete and entry.fit >= NAMED for entry in best):
        for others in wider(text, source.lexicon, source.rules):
            best = _better(best, _ranked(parts, source.lexicon, others, asker.viewer, limit))
    if not any(entry.complete and entry.fit >= SURE for entry in best):
        best = _better(best, _vacant(parts, source.lexicon, tokens, asker.viewer, limit))
    yield from (entry for entry in best if entry.complete or entry.score >= ENOUGH)


def _better(one: list[_Entry], other: list[_Entry]) -> list[_Entry]:
    """Return the list whose best complete entry has more of what was asked, or that comes nearer; else the first."""
    fits = [
        (max((entry.fit for entry in it if entry.complete), default=0.0), max((entry.score for entry in it), default=0))
        for it in (one, other)
    ]
    return other if fits[1] > fits[0] else one


def _parts(source: Source, viewer: Viewer) -> list[Part]:
    """Return both indexes; what changed is found in the newer one only."""
    shown = np.ones(len(source.index), bool)
    for id_ in source.stale:
        shown[source.index.places(id_)] = False
    parts = [Part(source.index, visible(source.index, viewer), shown)]
    if source.newer is not None:
        parts.append(Part(source.newer, visible(source.newer, viewer), np.ones(len(source.newer), bool)))
    return parts


def _exact(part: Part, text: str, viewer: Viewer) -> Iterator[_Entry]:
    """Yield what is named by its id, its telephone number or its mail address."""
    known = part.seen & part.shown
    named = [place for place in part.index.places(text) if known[place]]
    for place in named or by_number(part.index, text, viewer, known):
        yield _entry(part.index, Ranked(place, 1.0, 1.0, complete=True))


def _ranked(
    parts: Sequence[Part], lexicon: Lexicon, tokens: tuple[str, ...], viewer: Viewer, limit: int
) -> list[_Entry]:
    """Return the best entries of both indexes; those that are found as well in a stable order."""
    asked = Asked(tokens, lexicon.roles_in(tokens), lexicon.short)
    found: list[_Entry] = []
    for part in parts:
        like = parts[0] if part is not parts[0] else None
        found += (_entry(part.index, it) for it in rank(part, asked, viewer, _OFFICES * limit, like))
    return sorted(found, key=lambda it: (-round(it.score, 4), it.kind == "person", it.id, it.role))


def _vacant(
    parts: Sequence[Part], lexicon: Lexicon, tokens: tuple[str, ...], viewer: Viewer, limit: int
) -> list[_Entry]:
    """Return the organisations that were asked for an office that nobody holds there."""
    role, others = lexicon.office_in(tokens)
    found = _ranked(parts, lexicon, others, viewer, limit) if role and others else []
    return [replace(entry, role=role) for entry in found if entry.kind != "person" and entry.complete]


def _entry(index: Index, found: Ranked) -> _Entry:
    at = found.place
    own = index.organisation[at - index.organisations] if at >= index.organisations else at
    organisation = index.ids[own] if own >= 0 else ""
    return _Entry(index.kinds[at], index.ids[at], index.roles[at], organisation, found.score, found.fit, found.complete)


def _told_apart(entries: Iterable[_Entry]) -> list[_Entry]:
    """Return the best entry of each organisation and person."""
    best: dict[tuple[bool, str], _Entry] = {}
    for entry in entries:
        best.setdefault((entry.kind == "person", entry.id), entry)
    return list(best.values())


def _shown(session: Session, source: Source, entries: Sequence[_Entry], actor: Actor, at: datetime) -> list[Hit]:
    """Return entries with what may be shown of their rows, in the same order."""
    people = _people(session, [entry.id for entry in entries if entry.kind == "person"])
    wanted = {entry.organisation for entry in entries} | {entry.id for entry in entries if entry.kind != "person"}
    organisations = {
        row.id: row
        for row in session.scalars(select(Organisation).where(Organisation.id.in_(sorted(wanted))))
        if sees(actor, Owned("organisation", row.visibility, (row.id,)))
    }
    hits: list[Hit] = []
    for entry in entries:
        if entry.kind == "person" and entry.id in people:
            person, held = people[entry.id]
            owned = Owned("person", person.visibility, {person.id, *_held(held, source.directory, at)})
            hit = _person(entry, person, owned, organisations.get(entry.organisation), actor)
        else:
            row = organisations.get(entry.id)
            hit = _organisation(entry, row, actor) if row is not None and entry.kind != "person" else None
        if hit is not None:
            hits.append(hit)
    return hits


def _people(session: Session, ids: Sequence[str]) -> dict[str, tuple[Person, list[Posting]]]:
    found = {row.id: (row, list[Posting]()) for row in session.scalars(select(Person).where(Person.id.in_(ids)))}
    for posting in session.scalars(select(Posting).where(Posting.person.in_(ids))) if ids else ():
        found[posting.person][1].append(posting)
    return found


def _organisation(entry: _Entry, row: Organisation, actor: Actor) -> Hit:
    owned = Owned("organisation", row.visibility, (row.id,))
    return Hit(
        kind="organisation",
        id=row.id,
        name=row.name,
        role=entry.role or None,
        organisation=row.id,
        country=row.country or None,
        city=row.city or None,
        phone=(row.phone or None) if sees(actor, owned, "phone") else None,
        email=(row.email or None) if sees(actor, owned, "email") else None,
        score=_score(entry),
        sure=entry.complete and entry.fit >= SURE,
    )


def _held(postings: Iterable[Posting], directory: Snapshot, at: datetime) -> Iterator[str]:
    """Yield the organisations where these are held now; a day is that of the place."""
    for posting in postings:
        organisation = directory.organisations.get(posting.organisation)
        if holds(posting.start, posting.end, organisation.timezone if organisation else None, at):
            yield posting.organisation


def _person(entry: _Entry, row: Person, owned: Owned, at: Organisation | None, actor: Actor) -> Hit | None:
    if not sees(actor, owned):
        return None
    return Hit(
        kind="person",
        id=row.id,
        name=f"{row.given_name} {row.family_name}".strip() or row.id,
        role=(entry.role or None) if at is not None else None,
        organisation=at.id if at else None,
        country=(at.country or None) if at else None,
        city=(at.city or None) if at else None,
        phone=(row.phone or None) if sees(actor, owned, "phone") else None,
        email=(row.email or None) if sees(actor, owned, "email") else None,
        score=_score(entry),
        sure=entry.complete and entry.fit >= SURE,
    )


def _score(entry: _Entry) -> float:
    return round(min(max(entry.score, 0.001), 1.0), 3)
