"""Crossed postings: who goes where on which day, announced once, in force by itself on that day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from bot.agenda import crossings, finding, keeping, rights
from bot.agenda.borders import EVERYTHING
from bot.agenda.cards import title_of, when
from bot.agenda.crossings import Move
from bot.agenda.dates import dated
from bot.agenda.finding import Window
from bot.agenda.model import Details, When
from bot.agenda.seats import ministry_of
from bot.agenda.tables import Event
from bot.card import Button, Buttons, Card, Paragraph, Reply, Words
from bot.clockwork.mobility import title_of_office, titled
from bot.command import command, first_word
from bot.context import Context
from bot.directory.days import postings_held
from bot.directory.files import ROLES
from bot.directory.history import Author
from bot.directory.tables import Organisation, Person, Posting
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.questions.cards import name_of
from bot.search.hits import meant
from bot.texts import Lines, Markdown, Reader, Text, unescaped
from handlers.agenda import asker, here

AHEAD = 365  # days of moves that are listed
SHOWN = 15
OFFERED = 5
_LEAVES = ("depart", "departure", "leaves")
_NOT_FOUND = {"person": "crossing_post.no_person", "organisation": "crossing_post.no_organisation"}


@command("mobilite", alias="mobility", right="reader", private=True)
def mobility(ctx: Context, quoi: Rest = "") -> Reply:
    """List the moves to come; coordinators announce one: `mobilite annoncer PERSONNE, FONCTION, SERVICE, 1er avril`.

    Who leaves the network is announced by `mobilite annoncer PERSONNE, départ, 1er avril`.
    """
    word, rest = first_word(quoi)
    act = _ACTS.get(spelled(word))
    if act is not None:
        return act(ctx, unescaped(rest).strip())
    if quoi.strip():
        raise UserError("crossing_post.how")
    return _coming(ctx)


def _coming(ctx: Context) -> Card:
    view = here(ctx)
    asked = Window(asker(ctx).today, AHEAD, EVERYTHING, frozenset({"posting"}))
    found = finding.coming(ctx.session, ctx.actor, asked, view.zone)[:SHOWN]
    if not found:
        return Card(None, (Paragraph(Text.of("crossing_post.none")),))
    lines = Lines(
        Text.of(
            "visit.line.cancelled" if it.state == "cancelled" else "visit.line.alone",
            number=Markdown(it.number),
            title=title_of(view, it),
            when=when(view, it.when),
        )
        for it in found
    )
    opened = found[:OFFERED]
    buttons = tuple(Button(Text.of("button.open_event", number=it.number), "agenda", it.number) for it in opened)
    body = Paragraph(Text.of("lines", items=lines), theirs=True)
    return Card(Text.of("crossing_post.coming"), (body, Buttons(buttons)))


def _announce(ctx: Context, line: str) -> Card:
    """Announce a move, once its announcer has looked it over: from then on the network sees it."""
    rights.check(ctx.actor, "announce")
    parts = [part.strip() for part in line.split(",")]
    sure = spelled(parts[-1]) in ("oui", "yes")
    parts = parts[:-1] if sure else parts
    leaves = len(parts) == 3 and spelled(parts[1]) in _LEAVES
    if len(parts) != 4 and not leaves:
        raise UserError("crossing_post.how")
    person = _one(ctx, parts, 0, "person")
    if isinstance(person, Card):
        return person
    organisation = _one(ctx, parts, 2, "organisation") if not leaves else None
    if isinstance(organisation, Card):
        return organisation
    role, found = "" if leaves else _role(ctx, parts[1]), dated(parts[-1], asker(ctx).today)
    if found is None:
        raise UserError("agenda.no_date")
    move = Move(person, organisation, role)
    if leaves and _left(ctx, person) is None:
        raise UserError("crossing_post.no_office")
    if not sure:
        return _look_over(ctx, move, found.first)
    where = ctx.directory().organisations.get(organisation or _left(ctx, person) or "")
    zone = (where.timezone if where is not None else "") or ctx.world.zone
    made = _entered(ctx, move, When.days(found.first, found.first, zone))
    said = Text.of("crossing_post.announced", number=Markdown(made.number), day=found.first)
    return Card(None, (Paragraph(said), _opens(made)))


def _entered(ctx: Context, move: Move, day: When) -> Event:
    """Enter the event of a move, and the postings with their first and last days."""
    orgs = ctx.directory().organisations
    left = _left(ctx, move.person)
    places = [orgs[it] for it in (move.organisation, left) if it is not None and it in orgs]
    own = (ctx.actor.organisation,) if ctx.actor.organisation else ()
    french, english = _titles(ctx, move)
    details = Details(
        title=french,
        title_en=english,
        when=day,
        kind="posting",
        place=places[0].city if places else "",
        countries=tuple(dict.fromkeys(it.country for it in places if it.country not in {"FR", ""})),
        territories=tuple(dict.fromkeys(it.territory for it in places if it.territory)),
        bodies=tuple(it.id for it in places),
        organisers=own,
    )
    made = keeping.add(ctx.session, ctx.actor, details, ctx.now, sealed=ctx.sealed)
    row = crossings.announce(ctx.session, made, move, ctx.now)
    author = Author(ctx.now, "command", ctx.actor.person, ctx.inbound.author.id)
    crossings.settle(ctx.session, made, row, author)
    return made


def _titles(ctx: Context, move: Move) -> tuple[str, str]:
    """Return the title of a move in French and in English; who is for their own is not named."""
    person = ctx.session.get_one(Person, move.person)
    left, role = _left(ctx, move.person), move.role or _role_left(ctx, move.person)
    if person.visibility == "own":
        return title_of_office(ctx, role, move.organisation, left)
    key = "crossing_post.title" if move.organisation is not None else "crossing_post.title_left"
    name = name_of(ctx.directory(), move.organisation or left)
    return titled(ctx, Text.of(key, who=_called(person), role=Text.of(f"role.{role}"), name=name))


def _look_over(ctx: Context, move: Move, day: date) -> Card:
    """Show what would be announced, with what passes from one ministry to the other."""
    person = ctx.session.get_one(Person, move.person)
    directory = ctx.directory()
    left = _left(ctx, move.person)
    whence: Words = name_of(directory, left) if left is not None else "—"
    values = {"who": _called(person), "left": whence, "day": day}
    if move.organisation is None:
        role = Text.of(f"role.{_role_left(ctx, move.person)}")
        ask, yes = Text.of("crossing_post.look_over.leaves", role=role, **values), "départ"
    else:
        before = ministry_of(left, _roles(ctx, move.person), directory)
        after = ministry_of(move.organisation, (move.role,), directory)
        crossed = before and after and before != after
        key = "crossing_post.look_over.crossed" if crossed else "crossing_post.look_over"
        role, name = Text.of(f"role.{move.role}"), name_of(directory, move.organisation)
        ask, yes = Text.of(key, role=role, name=name, **values), f"{move.role}, {move.organisation}"
    line = f"annoncer {move.person}, {yes}, {day}, oui"
    button = Button(Text.of("button.crossing_announce"), "mobilite", line, "primary")
    return Card(None, (Paragraph(ask), Buttons((button,))))


def _one(ctx: Context, parts: Sequence[str], at: int, kind: str) -> str | Card:
    """Return whom or what a part names by id or by name; a card that asks which where several may be meant."""
    words = parts[at]
    known = ctx.session.get(Person if kind == "person" else Organisation, words)
    if known is not None:
        return words
    hits = [hit for hit in ctx.find(words, limit=20) if hit.kind == kind][:OFFERED] if words else []
    if not hits:
        raise UserError(_NOT_FOUND[kind], words=words[:80])
    if hits[0].sure and len(meant(hits)) == 1:
        return hits[0].id
    lines = [", ".join((*parts[:at], hit.id, *parts[at + 1 :])) for hit in hits]
    buttons = tuple(Button(hit.name, "mobilite", f"annoncer {line}") for hit, line in zip(hits, lines, strict=True))
    return Card(None, (Paragraph(Text.of("crossing_post.which")), Buttons(buttons)))


def _role(ctx: Context, said: str) -> str:
    """Return the office that a word names, as its id or in the words of either language."""
    wanted = spelled(said.strip())
    for role in ROLES:
        names = {role, *(ctx.world.catalogues.render(Text.of(f"role.{role}"), Reader(it)) for it in ("fr", "en"))}
        if wanted in {spelled(name) for name in names}:
            return role
    raise UserError("crossing_post.role", roles=tuple(ROLES))


def _left(ctx: Context, person: str) -> str | None:
    latest = _latest(ctx, person)
    return latest.organisation if latest is not None else None


def _role_left(ctx: Context, person: str) -> str:
    latest = _latest(ctx, person)
    return latest.role if latest is not None else ""


def _latest(ctx: Context, person: str) -> Posting | None:
    held = (posting for posting, _ in postings_held(ctx.session, person, ctx.now))
    return max(held, key=lambda it: it.start, default=None)


def _roles(ctx: Context, person: str) -> set[str]:
    return {posting.role for posting, _ in postings_held(ctx.session, person, ctx.now)}


def _called(person: Person) -> str:
    return f"{person.given_name} {person.family_name}".strip() or person.id


def _opens(event: Event) -> Buttons:
    return Buttons((Button(Text.of("button.visit_event"), "agenda", event.number),))


_ACTS: Mapping[str, Callable[[Context, str], Reply]] = {**dict.fromkeys(("annoncer", "announce"), _announce)}
