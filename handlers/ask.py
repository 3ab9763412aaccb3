"""Asking a question: it is routed, placed in the recipient's room, and its state shown to who asked."""

from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.command import command
from bot.context import Context
from bot.conversation.asking import decide, declined, send_off, show
from bot.conversation.telling import address
from bot.directory.rooms import room_of
from bot.grammar import Rest
from bot.interpret import CARRIED
from bot.message import Address, Message
from bot.posts import Placing
from bot.questions import cards, find, moves, similar, wording
from bot.questions.tables import Question
from bot.relay.holding import guard
from bot.relay.said import enclose, received
from bot.routing.model import Assignment
from bot.texts import Markdown, Text

SHOWN = 600  # characters of an answer that is offered


@command("question", alias="ask")
def ask(ctx: Context, text: Rest) -> Reply:
    """Ask a question in one's own words; where the answer may be known already, it is offered first."""
    return _ask(ctx, text, anyway=False)


@command("poser", alias="anyway", listed=False)
def ask_anyway(ctx: Context, text: Rest) -> Reply:
    """Ask a question though an answer was offered."""
    return _ask(ctx, text, anyway=True)


def _ask(ctx: Context, text: str, *, anyway: bool) -> Reply:
    clean = wording.question(text)
    decision = decide(ctx, clean, ctx.actor.organisation)
    told = declined(decision, clean)
    if told is not None and decision.question_back is not None:
        ctx.say(_beneath(ctx), told, "reply", Placing(prompt=("question", clean), asked_of=ctx.inbound.author.id))
        return None
    if told is not None:
        return told
    files = getattr(ctx.inbound, "files", ())  # no button could carry them on
    offer = None if anyway or files else _offer(ctx, clean, decision)
    if offer is not None:
        return offer
    question = _create(ctx, clean, decision)
    enclose(ctx, question, received(ctx, question, "asker"))
    card = send_off(ctx, question, decision, repeat=_is_root(ctx))
    end = find.endpoint(ctx.session, question.id, "recipient")
    guard(ctx, clean, address(end) if end else None, question.placed_with)
    moves.write(ctx.session, "ask", ctx.actor, question, ctx.now, towards=question.recipient)
    if decision.advice is not None:
        ctx.say(ctx.to, Card(Text.of("advice.title"), (Paragraph(decision.advice),)), "advice")
    key = f"{question.number}/asker/0"
    show(ctx, question, card, _asker_place(ctx, key), key)
    return None


def _offer(ctx: Context, text: str, decision: Assignment) -> Card | None:
    """Return the answers that are known to what is like this, for all who read here; None if there are none."""
    to, own = decision.recipient, ctx.actor.organisation
    if to is None or decision.decision != "route" or len(text) > CARRIED:
        return None
    if ctx.to.surface == "room":
        room = room_of(ctx.session, ctx.to.platform, ctx.to.room)
        own = own if room is not None and room.organisation == own else None

    def tokens(words: str) -> frozenset[str]:
        return similar.stems(ctx.world.finder.tokens(words))

    found = similar.known(ctx.session, text, decision.topic, to.organisation, own, ctx.today, tokens)
    if not found:
        return None
    blocks = [Paragraph(_known(ctx, it), quote=True, theirs=True) for it in found]
    anyway = Button(Text.of("button.poser"), "poser", text, "primary")
    see = tuple(Button(it.number, "voir", it.number) for it in found if it.number)
    return Card(Text.of("similar.title"), (*blocks, Buttons((anyway, *see))))


def _known(ctx: Context, it: similar.Known) -> Text:
    shown = it.text if len(it.text) <= SHOWN else f"{it.text[:SHOWN].rstrip()}…"
    if it.number is not None:
        return Text.of("similar.own", number=it.number, at=it.at, text=Markdown(shown))
    return Text.of("note.text", owner=cards.name_of(ctx.directory(), it.owner), until=it.at, text=Markdown(shown))


def _create(ctx: Context, text: str, decision: Assignment) -> Question:
    question = Question(
        number=moves.next_number(ctx.session, ctx.now),
        state="routed",
        text=text,
        sealed=ctx.sealed,
        cleared=ctx.cleared,
        urgent=decision.advice_to in ("emergency", "crisis_centre", "ccpd"),
        asker_account=ctx.inbound.author.id,
        asker_person=ctx.actor.person,
        asker_organisation=ctx.actor.organisation,
        asked_at=ctx.now,
    )
    ctx.session.add(question)
    ctx.session.flush()
    return question


def _beneath(ctx: Context) -> Address:
    """Where who asked is told what the question lacks: their next words there complete it."""
    to = ctx.to
    if to.surface != "room":
        return Address(to.platform, to.room, surface="direct")
    said = getattr(ctx.inbound, "message_id", None) or getattr(ctx.inbound, "pressed", None)
    return Address(to.platform, to.room, to.thread or said)


def _is_root(ctx: Context) -> bool:
    """Whether the bot's card, not a message of the asker's, opens the conversation."""
    pressed = getattr(ctx.inbound, "pressed", None)
    return not isinstance(ctx.inbound, Message) and pressed is None


def _asker_place(ctx: Context, key: str) -> Address:
    to = ctx.to
    if to.surface != "room":
        return Address(to.platform, to.room, surface="direct")  # without a thread: people write there line by line
    if isinstance(ctx.inbound, Message):
        root = to.thread or ctx.inbound.message_id
    else:
        root = to.thread or getattr(ctx.inbound, "pressed", None) or f"key:{key}"
    return Address(to.platform, to.room, root)
