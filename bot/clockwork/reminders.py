"""What the clock makes of a question: reminders, the ladder, the end of a silence. Said where it is day, or urgent."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bot import due
from bot.card import Button, Buttons, Card, Paragraph, Words
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope
from bot.conversation import escalate, redraw
from bot.conversation.ladder import Office, offices
from bot.conversation.reminded import KEEP
from bot.conversation.telling import address
from bot.conversation.timing import expect, quiet_until, recipients
from bot.directory.accounts import account_on
from bot.directory.rota import on_duty
from bot.directory.tables import Person
from bot.message import User
from bot.posts import Placing, Post, Side
from bot.questions import cards, clock, find, moves
from bot.questions.clock import LATE, Step
from bot.questions.tables import Endpoint, Question
from bot.texts import Moment, Text

BEHIND = timedelta(minutes=30)  # after which what is said says that it comes late
PERSON = "person"  # the kind of what looks at somebody who took questions: are they still there?
ASKER = "asker"  # the kind of what the asker is told once it is day there


def look(ctx: Scope, ring: Ring) -> Again:
    """Take the next step of a question if its time has come; return when to look again."""
    question = find.by_number(ctx.session, ring.key)
    if question is None:
        return None
    expect(ctx, question)
    if question.taken_person is not None and question.state == "taken":
        due.hasten(ctx.session, PERSON, question.taken_person, ctx.now)
    step = _next(ctx, question)
    if step is None or step.at > ctx.now:
        return step.at if step is not None else None
    if step.kind == "raise":
        return _raise(ctx, question)
    reader = question.asker_organisation if step.kind in ("warn", "close") else question.placed_with
    wait = quiet_until(ctx, reader, urgent=question.urgent)
    if wait is not None:
        return wait
    behind = max(step.at, ring.meant_at)
    question.steps, question.stepped_at = (LATE if step.kind == "late" else 1), ctx.now
    _take(ctx, question, step, behind if ctx.now - behind > BEHIND else None)
    after = _next(ctx, question)
    return after.at if after is not None else None


def _next(ctx: Scope, question: Question) -> Step | None:
    terms = ctx.world.terms
    return clock.next_step(question, recipients(ctx, question), terms, ctx.now, _last_word(ctx, question))


def _take(ctx: Scope, question: Question, step: Step, meant: datetime | None) -> None:
    match step.kind:
        case "remind":
            say(ctx, question, "recipient", _due_words(question, "clock.remind"), ("prendre", "repondre"), meant)
        case "late":
            redraw(ctx, question)
            say(ctx, question, "recipient", _due_words(question, "clock.late"), ("prendre", "repondre"), meant)
            due.put(ctx.session, ASKER, f"{question.number} late", ctx.now)
        case "warn":
            key = "clock.warn.answered" if question.state == "answered" else "clock.warn.asked_back"
            end = Moment(ctx.now + ctx.world.terms.close, ctx.now)
            words = Text.of(key, number=question.number, when=end)
            say(ctx, question, "asker", words, (KEEP, "clore"), meant)
        case "close" | "raise":
            moves.make(ctx.session, "close", None, question, ctx.now)
            redraw(ctx, question)
            words = Text.of("clock.closed", number=question.number)
            say(ctx, question, "asker", words, ("rouvrir",), meant)


def _raise(ctx: Scope, question: Question) -> Again:
    """Turn to the next step of the ladder that can be reached; while it sleeps, wait for it."""
    ladder = ctx.world.terms.ladder
    for index in range(question.steps - LATE, len(ladder)):
        for office in offices(ctx, question, ladder[index]):
            wait = quiet_until(ctx, office.organisation, urgent=question.urgent)
            if wait is not None:
                return wait
            if _raised(ctx, question, office):
                question.steps, question.stepped_at = LATE + index + 1, ctx.now
                if office.organisation != question.placed_with:  # they know that who has it was reminded
                    due.put(ctx.session, ASKER, f"{question.number} raised", ctx.now)
                after = _next(ctx, question)
                return after.at if after is not None else None
    question.steps, question.stepped_at = LATE + len(ladder), ctx.now
    return None


def _raised(ctx: Scope, question: Question, office: Office) -> bool:
    """Raise a question to an office: in the room where it lies, or in its organisation's; False without a room."""
    before = moves.raised_since(ctx.session, question)
    if office.organisation != question.placed_with:
        if office.organisation in {organisation for organisation, _ in before}:
            return False
        return escalate(ctx, question, office.organisation, reason=office.role)
    if (office.organisation, office.role) in before:
        return False
    moves.escalate(ctx.session, question, to=office.organisation, now=ctx.now, reason=office.role)
    people = tuple(full_name(person) for person in office.people)
    words = _due_words(question, "clock.raised.named" if people else "clock.raised", role=_role(office), people=people)
    return say(ctx, question, "recipient", words, ("prendre", "repondre"), None, office.people)


def tell_asker(ctx: Scope, ring: Ring) -> Again:
    """Tell the asker what the clock did meanwhile, once it is day there and if it is still so."""
    number, _, what = ring.key.partition(" ")
    question = find.by_number(ctx.session, number)
    if question is None or question.state not in moves.OPEN:
        return None
    if what != "handed" and not (clock.awaits_answer(question) and question.steps >= LATE):
        return None
    wait = quiet_until(ctx, question.asker_organisation, urgent=question.urgent)
    if wait is not None:
        return wait
    raised = moves.raised_to(ctx.session, question)
    name = cards.name_of(ctx.directory(), raised[-1] if what == "raised" and raised else question.recipient)
    say(ctx, question, "asker", Text.of(f"clock.asker.{what}", number=number, name=name), (), None)
    return None


def _due_words(question: Question, key: str, **values: object) -> Text:
    since = question.counted_from or question.asked_at
    return Text.of(key, number=question.number, when=Moment(question.due_at or since, since), **values)


def say(
    ctx: Scope,
    question: Question,
    side: Side,
    words: Words,
    commands: tuple[str, ...],
    meant: datetime | None,
    people: tuple[Person, ...] = (),
) -> bool:
    """Say something to a side beneath its card, with what can be done about it; False where that side has no place."""
    end = find.endpoint(ctx.session, question.id, side)
    if end is None:
        return False
    blocks: list[Paragraph | Buttons] = [Paragraph(words)]
    if meant is not None:
        blocks.append(Paragraph(Text.of("clock.behind", at=meant)))
    offered = [rule.button for rule in moves.offered(side, question.state)]
    pressed = [it for it in commands if it in offered or it == KEEP]
    styles = ["primary", *["plain"] * len(pressed)]
    buttons = tuple(
        Button(Text.of(f"button.{it}"), it, question.number, "primary" if style == "primary" else "plain")
        for it, style in zip(pressed, styles, strict=False)
    )
    if buttons:
        blocks.append(Buttons(buttons))
    card = Card(None, tuple(blocks), _called(ctx, question, side, end, people))
    ctx.say(address(end), card, f"{question.number}/{side}", Placing(question.id, side))
    return True


def _called(ctx: Scope, question: Question, side: Side, end: Endpoint, people: tuple[Person, ...]) -> User | None:
    """Return the account that is called: who was turned to, who has the question or is on duty, or who asked."""
    if side == "asker":
        shown = end.surface == "room" and end.platform != "console"
        return User(end.platform, question.asker_account) if shown else None
    named = (
        [question.taken_person] if question.taken_person else on_duty(ctx.session, question.placed_with or "", ctx.now)
    )
    known = (ctx.session.get(Person, id_) for id_ in named)
    accounts = (account_on(it, end.platform) for it in (*people, *known) if it is not None)
    return next((it for it in accounts if it is not None), None)


def _last_word(ctx: Scope, question: Question) -> datetime | None:
    """Return when somebody last said something in the conversation."""
    said = select(func.max(Post.at)).where(Post.question_id == question.id, Post.author.is_not(None))
    return ctx.session.scalar(said)


def full_name(person: Person) -> str:
    """Return how a person is called."""
    return f"{person.given_name} {person.family_name}".strip() or person.id


def _role(office: Office) -> Text:
    return Text.of(f"role.{office.role}" if office.role != "coordinator" else "right.coordinator")


KINDS: Mapping[str, Kind] = {
    moves.CLOCK: Kind(look, find.by_number),
    ASKER: Kind(tell_asker, lambda session, key: find.by_number(session, key.partition(" ")[0])),
}
