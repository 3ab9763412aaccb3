"""Finding organisations and people by a few words: accents, case, hyphens and the ends of words do not matter.

Every word must be found. A word for an office (`cdpr`, `asi`, `consul`) asks for who holds it, whether or not anybody
is entered, at or for the place that the other words name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import TypeAlias

from babel import Locale
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.directory.identity import Actor
from bot.directory.rights import has
from bot.directory.tables import Competence, Organisation, Person, Posting
from bot.directory.wording import words

_words = lru_cache(maxsize=20_000)(words)  # of what the directory says, not of what is asked

Fields: TypeAlias = list[tuple[float, tuple[str, ...]]]  # words with what finding one of them is worth

_ROLES = {
    "cdpr": "cdpr",
    "asi": "asi",
    "consul": "consul",
    "consule": "consul",
    "ambassadeur": "ambassador",
    "ambassadrice": "ambassador",
    "ambassador": "ambassador",
    "prefet": "prefect",
    "prefete": "prefect",
    "prefect": "prefect",
}
_HEADS = {  # the office that an organisation of a kind always has
    "region": "prefect",
    "prefecture": "prefect",
    "police_prefecture": "prefect",
    "embassy": "ambassador",
    "consulate_general": "consul",
    "consulate": "consul",
    "honorary_consulate": "consul",
}
_LONGEST = 200  # characters that are looked at
_BEGINNING = 0.8  # what the beginning of a word is worth
_CLOSED = 0.5  # what a closed organisation is worth
_PERSON = 0.95  # a person comes after the organisation that is found as well


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found; `score` is between 0 and 1."""

    kind: str  # organisation, person
    id: str
    name: str
    role: str | None
    organisation: str | None
    country: str | None
    city: str | None
    phone: str | None
    email: str | None
    score: float


def search(session: Session, text: str, *, limit: int, visible_to: Actor | None, on: date) -> list[Hit]:
    """Return the best `limit` of what is found and `visible_to` may see on a day; strangers (None) see nothing."""
    asked = words(text[:_LONGEST])
    if visible_to is None or not asked:
        return []
    roles = {_ROLES[word] for word in asked if word in _ROLES}
    rest = [word for word in asked if word not in _ROLES]
    organisations = {row.id: row for row in session.scalars(select(Organisation))}
    hits = [*_organisations(session, organisations, roles, rest, on), *_people(session, organisations, roles, rest, on)]
    seen = [hit for hit, visibility, owners in hits if _may_see(visible_to, visibility, owners)]
    return sorted(seen, key=lambda hit: (-hit.score, hit.kind, hit.id, hit.role or ""))[:limit]


_Found: TypeAlias = tuple[Hit, str, set[str]]  # with its visibility and the ids of those it belongs to


def _organisations(
    session: Session, organisations: dict[str, Organisation], roles: set[str], rest: list[str], on: date
) -> Iterator[_Found]:
    if len(roles) > 1:
        return
    role = next(iter(roles), None)
    places = _places(session, organisations, role, on) if role else {}
    for row in organisations.values():
        if role and row.id not in places and _HEADS.get(row.kind) != role:
            continue
        score = _score(rest, _fields(row) + places.get(row.id, []))
        if score:
            shorter = 1 - 0.01 * min(row.id.count("-"), 9)
            score *= shorter * (_CLOSED if row.status == "closed" else 1)
            yield _hit(row, role, score), row.visibility, {row.id}


def _people(
    session: Session, organisations: dict[str, Organisation], roles: set[str], rest: list[str], on: date
) -> Iterator[_Found]:
    current = select(Posting).where(Posting.start <= on, or_(Posting.end.is_(None), Posting.end >= on))
    postings: dict[str, list[Posting]] = {}
    for posting in session.scalars(current.order_by(Posting.start.desc(), Posting.organisation, Posting.role)):
        postings.setdefault(posting.person, []).append(posting)
    for person in session.scalars(select(Person)):
        held = postings.get(person.id, [])
        fitting = [posting for posting in held if posting.role in roles] if roles else held[:1]
        if roles and not fitting:
            continue
        at = organisations[fitting[0].organisation] if fitting else None
        names: Fields = [(1.0, words(f"{person.given_name} {person.family_name}")), (1.0, words(person.id))]
        score = _PERSON * _score(rest, names + (_fields(at) if at else []))
        if score:
            owners = {person.id} | {posting.organisation for posting in held}
            yield _person_hit(person, fitting[0].role if fitting else None, at, score), person.visibility, owners


def _places(session: Session, organisations: dict[str, Organisation], role: str, on: date) -> dict[str, Fields]:
    """Return, for each organisation with an office, what that office answers for."""
    within: dict[str, list[Organisation]] = {}
    for row in organisations.values():
        if row.kind == "prefecture" and row.parent:
            within.setdefault(row.parent, []).append(row)
    columns = (Competence.organisation, Competence.country, Competence.territory, Competence.place)
    in_force = select(*columns).distinct()
    in_force = in_force.where(
        Competence.role == role,
        or_(Competence.valid_from.is_(None), Competence.valid_from <= on),
        or_(Competence.valid_to.is_(None), Competence.valid_to >= on),
    )
    found: dict[str, Fields] = {}
    for organisation, country, territory, place in session.execute(in_force):
        fields = found.setdefault(organisation, [])
        fields += [(0.7, _country(country)), (0.7, _words(territory)), (0.7, _words(place))]
        for row in within.get(territory, []):
            fields += [(0.6, _words(row.territory)), (0.6, _words(row.short_name)), (0.6, _words(row.city))]
    return found


def _fields(row: Organisation) -> Fields:
    return [
        (1.0, _words(row.id)),
        (1.0, _words(row.short_name)),
        (0.9, _words(row.name)),
        (0.9, _words(row.city)),
        (0.8, _words(row.territory)),
        (0.6, _country(row.country)),
    ]


@cache
def _country(code: str) -> tuple[str, ...]:
    names = [
        str(Locale(language).territories[code]) for language in ("fr", "en") if code in Locale(language).territories
    ]
    return words(" ".join((code, *names)))


def _score(asked: Iterable[str], fields: Fields) -> float:
    """Return how well these words are found on average; 0 when one is not found."""
    worth = [max((value * _likeness(word, found) for value, found in fields), default=0.0) for word in asked]
    return 0.0 if 0.0 in worth else sum(worth) / len(worth) if worth else _BEGINNING


def _likeness(word: str, found: tuple[str, ...]) -> float:
    if word in found:
        return 0.9 + 0.1 / len(found)  # « Moselle » is rather Moselle than Meurthe-et-Moselle
    return _BEGINNING if len(word) > 1 and any(other.startswith(word) for other in found) else 0.0


def _may_see(actor: Actor, visibility: str, owners: set[str]) -> bool:
    match visibility:
        case "all":
            return True
        case "network":
            return has(actor.rights, "member")
        case _:
            return has(actor.rights, "coordinator") or bool(owners & {actor.organisation, actor.person})


def _hit(row: Organisation, role: str | None, score: float) -> Hit:
    return Hit(
        kind="organisation",
        id=row.id,
        name=row.name,
        role=role,
        organisation=row.id,
        country=row.country or None,
        city=row.city or None,
        phone=row.phone or None,
        email=row.email or None,
        score=round(score, 3),
    )


def _person_hit(person: Person, role: str | None, at: Organisation | None, score: float) -> Hit:
    return Hit(
        kind="person",
        id=person.id,
        name=f"{person.given_name} {person.family_name}".strip() or person.id,
        role=role,
        organisation=at.id if at else None,
        country=(at.country or None) if at else None,
        city=(at.city or None) if at else None,
        phone=person.phone or None,
        email=person.email or None,
        score=round(score, 3),
    )
