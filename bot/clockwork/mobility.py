"""What the clock makes of a crossed posting: on its day access ends on one side, and both sides are told."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from bot import due
from bot.agenda import crossings
from bot.agenda.crossings import Crossing
from bot.agenda.tables import Event
from bot.card import Button, Buttons, Card, Paragraph, Words
from bot.clockwork import Again
from bot.clockwork.reminders import PERSON
from bot.context import Scope
from bot.conversation.telling import coordinators, tell_person
from bot.conversation.timing import quiet_until
from bot.directory import rights
from bot.directory.history import PRESENCE, Author
from bot.directory.rooms import rooms_of
from bot.directory.tables import Person
from bot.message import Address
from bot.questions.cards import name_of
from bot.questions.moves import PENDING
from bot.questions.tables import Question
from bot.texts import Reader, Text, unescaped

ENDED: Final = ("editor", "coordinator")  # rights that belong to an office; an administrator's is for administrators
LATE: Final = timedelta(days=30)  # after which nobody is told any more


def look(ctx: Scope, event: Event) -> Again:
    """Let the directory have a move as its event has it; on its day end what they had, and tell both sides."""
    row = ctx.session.get(Crossing, event.id)
    if row is None:
        return None
    author = Author(ctx.now, "command")
    if crossings.settle(ctx.session, event, row, author):
        row.effective = row.told = False
    if row.starts is None:
        return None
    where = row.organisation or row.left
    begins = event.when.begins(_zone(ctx, where))
    if begins > ctx.now:
        return begins
    if not row.effective:
        row.effective = True
        _end_access(ctx, row, author)
    if row.told or ctx.now - begins > LATE:
        return None
    wait = quiet_until(ctx, where, urgent=False)
    if wait is not None:
        return wait
    row.told = True
    _tell(ctx, row)
    return None


def title_of_office(ctx: Scope, role: str, organisation: str | None, left: str | None) -> tuple[str, str]:
    """Return the title of a move that does not name who moves, in French and in English."""
    key = "crossing_post.office" if organisation is not None else "crossing_post.office_left"
    name = name_of(ctx.directory(), organisation or left)
    return titled(ctx, Text.of(key, role=Text.of(f"role.{role}"), name=name))


def titled(ctx: Scope, words: Text) -> tuple[str, str]:
    """Return words as they stand in the title of an event, in French and in English."""
    french, english = (unescaped(ctx.world.catalogues.render(words, Reader(it))) for it in ("fr", "en"))
    return french, english


def _end_access(ctx: Scope, row: Crossing, author: Author) -> None:
    """End the rights and duties of the office that somebody left; what they had taken returns to its post."""
    had = rights.of(ctx.session, row.person) if row.left != row.organisation else frozenset[str]()
    held = [right for right in ENDED if right in had]
    for right in held:
        rights.revoke(ctx.session, row.person, right)
    duties = crossings.end_duties(ctx.session, row, author)
    due.wake(ctx.session, PRESENCE)
    due.hasten(ctx.session, PERSON, row.person, ctx.now)
    if held or duties:
        values = {"rights": tuple(Text.of(f"right.{it}") for it in held) or ("—",), "duties": duties}
        words = Text.of("crossing_post.ended", who=_called(ctx, row), left=name_of(ctx.directory(), row.left), **values)
        for organisation in coordinators(ctx.session, ctx.now):
            _say_in(ctx, organisation, words, (), f"ended/{organisation}")


def _tell(ctx: Scope, row: Crossing) -> None:
    """Tell the office that somebody left, the one where they come, and them."""
    directory = ctx.directory()
    pending, late = _waiting(ctx, row.organisation or row.left or "")
    values = {
        "who": _called(ctx, row),
        "role": Text.of(f"role.{row.role}"),
        "left": name_of(directory, row.left),
        "name": name_of(directory, row.organisation or row.left),
        "pending": pending,
        "late": late,
    }
    queue = (Button(Text.of("button.crossing_queue"), "demandes", "service", "primary"),)
    if row.left is not None and row.left != row.organisation:
        _say_in(ctx, row.left, Text.of("crossing_post.left", **values), queue, "left")
    if row.organisation is None:
        farewell = Card(None, (Paragraph(Text.of("crossing_post.farewell", **values)),))
        tell_person(ctx, ctx.session.get(Person, row.person), farewell, "farewell")
        return
    _say_in(ctx, row.organisation, Text.of("crossing_post.came", **values), queue, "came")
    welcome = Card(None, (Paragraph(Text.of("crossing_post.welcome", **values)), Buttons(queue)))
    tell_person(ctx, ctx.session.get(Person, row.person), welcome, "welcome")


def _waiting(ctx: Scope, organisation: str) -> tuple[int, int]:
    """Return how many questions wait with an organisation, and how many of them are late."""
    here = select(func.count()).where(Question.placed_with == organisation, Question.state.in_(PENDING))
    late = here.where(Question.due_at < ctx.now)
    return ctx.session.scalar(here) or 0, ctx.session.scalar(late) or 0


def _say_in(ctx: Scope, organisation: str, words: Text, buttons: tuple[Button, ...], name: str) -> None:
    for room in rooms_of(ctx.session, organisation)[:1]:
        row = (Buttons(buttons),) if buttons else ()
        ctx.say(Address(room.platform, room.room), Card(None, (Paragraph(words), *row)), name)


def _called(ctx: Scope, row: Crossing) -> Words:
    """Return how somebody is called; who is for their own alone by their office."""
    person = ctx.session.get_one(Person, row.person)
    if person.visibility == "own":
        return Text.of(f"role.{row.role}")
    return f"{person.given_name} {person.family_name}".strip() or person.id


def _zone(ctx: Scope, organisation: str | None) -> str:
    org = ctx.directory().organisations.get(organisation or "")
    return org.timezone if org is not None and org.timezone else ctx.world.zone
