"""What an event asks for: a command with its arguments, a choice to offer, or nothing."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from bot.card import Button, Buttons, Card, Paragraph
from bot.command import bind, first_word, numbered
from bot.context import Context
from bot.directory.rooms import room_of
from bot.errors import UserError
from bot.grammar import Command
from bot.message import CROSSING, Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange
from bot.outbox import Post
from bot.questions import find, moves
from bot.questions.tables import Question
from bot.relay import follow_deletion, follow_edit, hand_over, in_dialogue
from bot.routing.decide import route
from bot.routing.model import Question as Routed
from bot.texts import Text

JOINED = timedelta(minutes=3)  # what is said so soon after, in a direct room, goes to the same question
PROMPTED = timedelta(minutes=10)  # a person who was asked for something answers within
CARRIED = 1500  # characters that a button can carry
CLEAR = 0.6  # the confidence with which words that follow a question are another one
LONG = 8  # words after which a search looks like a question

_SAYING = ("question", "repondre")  # commands that keep what they were given
_QUOTED = re.compile(rf"\b{find.NUMBER.pattern}\b", re.IGNORECASE)
_DIGIT = re.compile(r"[1-9]|10")
_KEYCAPS = {f"{n}\ufe0f\u20e3": n for n in range(1, 10)} | {"\U0001f51f": 10}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command to run. `act` is set where the event acts on the map of messages instead."""

    command: Command
    line: str = ""
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    about: Question | None = None
    act: Callable[[Context], None] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """In doubt: a card that lets the person choose."""

    card: Card


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is none of the bot's business."""


Plan = Wanted | Asked | Nothing
NOTHING = Nothing()


def understand(ctx: Context, inbound: Inbound) -> Plan:
    """Return what an event asks for. Raises nothing: what does not fit is found when it is bound."""
    match inbound:
        case Message():
            return _message(ctx, inbound)
        case Invocation():
            return _invocation(ctx, inbound)
        case Reaction(emoji=emoji, message_id=on) if emoji in _KEYCAPS:
            post = _post(ctx, on)
            return _press(ctx, post, _KEYCAPS[emoji]) if post is not None and post.key is not None else NOTHING
        case Reaction(emoji=emoji, on=Message() as on) if emoji.startswith(CROSSING):
            return _crossing(ctx, on)
        case Edit(message_id=on, text=text):
            post = _post(ctx, on)
            words = without_command(ctx, text)
            return _about_post(ctx, post, lambda c, found: follow_edit(c, found, words))
        case Deletion(message_id=on):
            post = _post(ctx, on)
            return _about_post(ctx, post, follow_deletion)
        case Reaction() | RoomChange():
            return NOTHING


def _crossing(ctx: Context, message: Message) -> Plan:
    """Somebody lets a message cross: to the question in whose thread it stands, or to the only one in the room."""
    if _is_ours(ctx, message.message_id):
        return NOTHING
    post = _post(ctx, message.reply_to) or _post(ctx, message.to.thread) or _post(ctx, message.message_id)
    question = _question(ctx, post)
    if question is None:
        here = find.open_in(ctx.session, ctx.to.platform, ctx.to.room)
        if len(here) != 1:
            return Asked(Card(None, (Paragraph(Text.of("crossing.which")),))) if here else NOTHING
        question = ctx.session.get(Question, here[0], with_for_update=True)
    if question is None:
        return NOTHING
    about = question
    return Wanted(ctx.world.commands["repondre"], about=about, act=lambda c: hand_over(c, about, message))


def _is_ours(ctx: Context, message_id: str) -> bool:
    post = _post(ctx, message_id)
    return post is not None and post.key is not None


def without_command(ctx: Context, text: str) -> str:
    """Return what a message says once the command and number that open it are taken away."""
    bare = text.strip()
    sign = bare.startswith(("!", "/"))
    word, rest = _split(bare[1:] if sign else bare)
    if spelled(word) == "passerelle":
        word, rest = _split(rest)
    found = ctx.world.commands.get(spelled(word))
    if found is None or not rest or not (sign or found.name in _SAYING):
        return bare
    first, after = first_word(rest)
    return after if numbered(first) else rest


def spelled(word: str) -> str:
    """Return a command's word without what haste leaves out: capitals and accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def _message(ctx: Context, message: Message) -> Plan:
    plan = _said(ctx, message)
    return (_quoted_here(ctx, message) or NOTHING) if isinstance(plan, Nothing) else plan


def _said(ctx: Context, message: Message) -> Plan:
    post = _post(ctx, message.reply_to) or _post(ctx, message.to.thread)
    about = _question(ctx, post)
    text = message.text.strip()
    addressed = message.mentions_bot or message.to.surface == "direct"
    if text.startswith(("!", "/")) and any(c.isalpha() for c in _split(text[1:])[0]):
        return _typed(ctx, text[1:], post, about)
    known = _first_word(ctx, text, about) if addressed else None
    prompt = _prompt(ctx, message, post)
    if prompt is not None and prompt[0] == "question" and prompt[1] and not _completes(ctx, message, text):
        prompt = None
    if prompt is not None and (message.reply_to is not None or not _means_a_command(known)):
        name, line = prompt
        return _named(ctx, name, f"{line} {text}".strip(), about)
    if _DIGIT.fullmatch(text) and (post is not None or addressed):
        return _press(ctx, _card(ctx, post), int(text))
    if known is not None:
        return known
    if about is not None and post is not None:
        return _within(ctx, message, about, post, addressed=addressed)
    if not addressed:
        return NOTHING
    if not text and not message.files:
        return Wanted(ctx.world.commands["aide"])
    if message.to.surface == "direct":
        return _quoted(ctx, text) or _direct(ctx, message, text)
    return _courtesy(ctx, text) or _quoted(ctx, text) or _new(ctx, message, text)


def _new(ctx: Context, message: Message, text: str) -> Plan:
    last = find.last_asked(ctx.session, message.author.id, message.to) if message.to.thread is None else None
    soon = last is not None and ctx.now - _last_said(ctx, last) <= ctx.world.joined
    if last is not None and soon and (last.recipient is None or not _stands_alone(ctx, text)):
        return _named(ctx, "repondre", f"{last.number} {text}", last)
    return _named(ctx, "question", text, None)


def _completes(ctx: Context, message: Message, text: str) -> bool:
    """Whether words complete a question that lacked something: a reply does, and what is none by itself."""
    return message.reply_to is not None or (ctx.world.courtesy.kind_of(text) is None and not _stands_alone(ctx, text))


def _stands_alone(ctx: Context, text: str) -> bool:
    """Whether a text is a question by itself: it is clear where it goes."""
    asked = Routed(text=text, asker=ctx.actor.organisation)
    decision = route(asked, ctx.rules(), ctx.directory(), ctx.today)
    return decision.decision == "advise" or (decision.recipient is not None and decision.confidence >= CLEAR)


def _courtesy(ctx: Context, text: str) -> Plan | None:
    """Greetings get a word, thanks none: neither is a question."""
    match ctx.world.courtesy.kind_of(text):
        case "greeting":
            ask = Button(Text.of("button.question"), "question", "", "primary")
            return Asked(Card(None, (Paragraph(Text.of("greeting")), Buttons((ask,)))))
        case "thanks":
            return NOTHING
        case None:
            return None


def _quoted(ctx: Context, text: str) -> Plan | None:
    """A number said to the bot with few words around it asks for that question's card."""
    number = _QUOTED.search(text)
    if number is None or len(text.split()) > LONG:
        return None
    question = find.by_number(ctx.session, number[0])
    return None if question is None else _named(ctx, "voir", question.number, question)


def _quoted_here(ctx: Context, message: Message) -> Plan | None:
    """A number quoted among colleagues: its card is shown to all where all may see it, else to who may, else not."""
    number = _QUOTED.search(message.text)
    question = find.by_number(ctx.session, number[0]) if number is not None and ctx.actor.rights else None
    if question is None or not moves.sides_of(ctx.session, ctx.actor, question):
        return None
    here = find.endpoint_in(ctx.session, question.id, message.to)
    if here is not None and message.to.thread is not None:
        return None  # it is spoken of in its own thread
    room = room_of(ctx.session, message.to.platform, message.to.room)
    own = replace(ctx.actor, user=None, person=None, rights=frozenset(), organisation=room and room.organisation)
    shared = message.to.surface == "room" and moves.sides_of(ctx.session, own, question)
    return _named(ctx, "citation" if shared else "voir", question.number, question)


_NEWEST = (  # made once: to make a statement anew costs more than to execute it
    select(Post.id, Post.author, Post.at, Post.prompt)
    .where(Post.platform == bindparam("platform"), Post.room == bindparam("room"), Post.key.is_not(None))
    .order_by(Post.id.desc())
    .limit(1)
)


def _prompt(ctx: Context, message: Message, post: Post | None) -> tuple[str, str] | None:
    """Return what the message completes: the prompt it replies to, or the one that this person was just shown."""
    if post is None and message.reply_to is None and (message.mentions_bot or message.to.surface == "direct"):
        shown = ctx.session.connection().execute(_NEWEST, {"platform": ctx.to.platform, "room": ctx.to.room}).first()
        fits = shown is not None and shown.author == message.author.id and ctx.now - shown.at <= PROMPTED
        prompt = shown.prompt if shown is not None and fits else None
    else:
        prompt = post.prompt if post is not None and message.reply_to == post.message_id else None
    if not prompt:
        return None
    name, line = json.loads(prompt)
    return name, line


def _typed(ctx: Context, text: str, post: Post | None, about: Question | None) -> Plan:
    """`!` and `/` are always commands."""
    word, rest = _split(text)
    match spelled(word):
        case "passerelle":
            return _typed(ctx, rest, post, about) if rest else Wanted(ctx.world.commands["aide"])
        case "choix" | "choice":
            return _press(ctx, _card(ctx, post), _number(rest))
        case name:
            return _named(ctx, name, rest, about)


def _named(ctx: Context, name: str, line: str, about: Question | None, form: Mapping[str, str] | None = None) -> Plan:
    found = ctx.world.commands.get(spelled(name))
    if found is None:
        unknown = Text.of("command.unknown", word=name[:40])
        return Asked(Card(None, (Paragraph(unknown), Buttons((Button(Text.of("button.aide"), "aide"),)))))
    return Wanted(found, line, form or {}, about)


def _first_word(ctx: Context, text: str, about: Question | None) -> Plan | None:
    """A first word is a command when the rest fits its grammar; where both readings are likely, ask."""
    word, rest = _split(text)
    found = ctx.world.commands.get(spelled(word))
    if found is None:
        return None
    if not rest:  # nobody asks a question of one word that is a command's
        return Wanted(found, "", {}, about)
    try:
        fits = not bind_fails(ctx, found, rest, about)
    except UserError:
        fits = False
    if not fits:
        return None
    searching = found.name == "annuaire" and ("?" in rest or len(rest.split()) > LONG) and len(text) < CARRIED
    if searching:
        return _either(text, Button(Text.of("button.annuaire"), "annuaire", rest), "question")
    return Wanted(found, rest, {}, about)


def _means_a_command(known: Plan | None) -> bool:
    """Whether a first word is a command even while something else was asked for, which would go to the other side."""
    return isinstance(known, Wanted) and (known.command.name not in _SAYING or not known.line)


def bind_fails(ctx: Context, found: Command, rest: str, about: Question | None) -> bool:
    """Whether a line does not give all that a command needs."""
    return not isinstance(bind(replace(ctx, about=about), found, rest, {}), dict)


def _within(ctx: Context, message: Message, about: Question, post: Post, *, addressed: bool) -> Plan:
    """Something said in a question's thread: the asker's own words cross, others' stay among colleagues."""
    own = message.author.id == about.asker_account and post.side == "asker"
    polite = _courtesy(ctx, message.text)
    if polite is not None and (about.state == "asked_back" or (addressed and not own)):
        return polite if addressed else NOTHING  # thanks complete no question
    if own or message.to.surface == "direct" or in_dialogue(ctx.session, about, post.side):
        return _named(ctx, "repondre", f"{about.number} {message.text}", about)
    if not addressed:
        return NOTHING
    if len(message.text) > CARRIED or "recipient" not in moves.sides_of(ctx.session, ctx.actor, about):
        return _named(ctx, "question", message.text, None)
    reply = Button(Text.of("button.answer_to", number=about.number), "repondre", f"{about.number} {message.text}")
    return _either(message.text, reply, "question")


def _direct(ctx: Context, message: Message, text: str) -> Plan:
    """In a direct room: what follows soon joins the last question; later, ask which is meant."""
    open_ = find.open_of(ctx.session, ctx.inbound.author.id)
    if not open_:
        return _courtesy(ctx, text) or _named(ctx, "question", text, None)
    here = next((question for question in open_ if _asked_in_private(ctx, question)), None)
    if here is not None and (message.files or ctx.now - _last_said(ctx, here) <= JOINED):  # a file asks nothing new
        return _named(ctx, "repondre", f"{here.number} {text}", here)
    polite = _courtesy(ctx, text)
    if polite is not None:
        return polite
    if message.files or len(text) > CARRIED:  # no button could carry it
        return _named(ctx, "question", text, None)
    last = open_[0]
    more = Button(Text.of("button.more_of", number=last.number), "repondre", f"{last.number} {text}")
    return _either(text, more, "question")


def _last_said(ctx: Context, question: Question) -> datetime:
    """When its asker last said something of a question; one asked by a button or form has no message of theirs."""
    return find.last_word(ctx.session, question.id, ctx.inbound.author.id) or question.asked_at


def _asked_in_private(ctx: Context, question: Question) -> bool:
    """Whether a question was not asked before colleagues: what is said in private never joins one that was."""
    end = find.endpoint(ctx.session, question.id, "asker")
    return end is not None and end.surface != "room"


def _either(text: str, first: Button, second: str) -> Asked:
    other = Button(Text.of("button.new_question"), second, text)
    return Asked(Card(None, (Paragraph(Text.of("doubt")), Buttons((first, other)))))


def _invocation(ctx: Context, inbound: Invocation) -> Plan:
    post = _post(ctx, inbound.pressed) or _post(ctx, inbound.to.thread)
    about = _question(ctx, post)
    if inbound.command == "passerelle":
        return _typed(ctx, inbound.line, post, about) if inbound.line.strip() else Wanted(ctx.world.commands["aide"])
    if inbound.command == "choix":
        return _press(ctx, _card(ctx, post), _number(inbound.line))
    if inbound.command not in ctx.world.commands:
        return Asked(Card(None, (Paragraph(Text.of("button.old")),)))
    return _named(ctx, inbound.command, inbound.line, about, inbound.form)


def _press(ctx: Context, post: Post | None, number: int) -> Plan:
    buttons: list[list[str]] = json.loads(post.buttons) if post is not None and post.buttons else []
    if not 1 <= number <= len(buttons):
        return Asked(Card(None, (Paragraph(Text.of("choice.none")),)))
    name, line = buttons[number - 1]
    return _named(ctx, name, line, _question(ctx, post))


def _about_post(ctx: Context, post: Post | None, act: Callable[[Context, Post], None]) -> Plan:
    if post is None or post.key is not None:
        return NOTHING
    return Wanted(ctx.world.commands["repondre"], about=_question(ctx, post), act=lambda c: act(c, post))


def _post(ctx: Context, message_id: str | None) -> Post | None:
    return find.post_of(ctx.session, ctx.to.platform, ctx.to.room, message_id)


def _question(ctx: Context, post: Post | None) -> Question | None:
    if post is None or not post.question_id:
        return None
    return ctx.session.get(Question, post.question_id, with_for_update=True)


def _card(ctx: Context, post: Post | None) -> Post | None:
    """The card whose buttons a bare number means: the one replied to, its question's, else the newest in the room."""
    if post is not None and post.buttons:
        return post
    with_buttons = select(Post).where(
        Post.platform == ctx.to.platform, Post.room == ctx.to.room, Post.buttons.is_not(None), Post.gone.is_(False)
    )
    if post is not None and post.question_id is not None:
        with_buttons = with_buttons.where(Post.question_id == post.question_id)
    return ctx.session.scalar(with_buttons.order_by(Post.id.desc()).limit(1))


def _split(text: str) -> tuple[str, str]:
    word, rest = first_word(text)
    return word.rstrip(":,"), rest


def _number(text: str) -> int:
    bare = text.strip()
    return int(bare) if _DIGIT.fullmatch(bare) else 0
