"""What somebody says in words: part of a question under way, an answer, a new question, or nothing for the bot."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from bot.card import Button, Buttons, Card, Paragraph
from bot.context import Context
from bot.directory.rooms import room_of
from bot.interpret.commands import (
    CARRIED,
    DIGIT,
    LONG,
    begins,
    card_meant,
    either,
    means_a_command,
    named,
    parted,
    press,
    typed,
)
from bot.interpret.plan import NOTHING, Asked, Nothing, Plan, Wanted, post_of, question_of
from bot.interpret.which import queue
from bot.message import Message
from bot.posts import Post
from bot.questions import find, moves
from bot.questions.tables import Question
from bot.relay import in_dialogue
from bot.routing.decide import route
from bot.routing.model import Question as Routed
from bot.texts import Text

JOINED = timedelta(minutes=3)  # what is said so soon after, in a direct room, goes to the same question
PROMPTED = timedelta(minutes=10)  # a person who was asked for something answers within
CLEAR = 0.6  # the confidence with which words that follow a question are another one

_QUOTED = re.compile(rf"\b{find.NUMBER.pattern}\b", re.IGNORECASE)


def said_message(ctx: Context, message: Message) -> Plan:
    """Return what a message asks for; where that is nothing, a number that it quotes may still be shown."""
    plan = _said(ctx, message)
    return (_quoted_here(ctx, message) or NOTHING) if isinstance(plan, Nothing) else plan


def _said(ctx: Context, message: Message) -> Plan:
    post = post_of(ctx, message.reply_to) or post_of(ctx, message.to.thread)
    about = question_of(ctx, post)
    text = message.text.strip()
    addressed = message.mentions_bot or message.to.surface == "direct"
    if text.startswith(("!", "/")) and any(c.isalpha() for c in parted(text[1:])[0]):
        return typed(ctx, text[1:], post, about)
    known = begins(ctx, text, about) if addressed else None
    prompt = _prompt(ctx, message, post)
    if prompt is not None and prompt[0] == "question" and prompt[1] and not _completes(ctx, message, text):
        prompt = None
    if prompt is not None and (message.reply_to is not None or not means_a_command(known)):
        name, line = prompt
        return named(ctx, name, f"{line} {text}".strip(), about)
    if DIGIT.fullmatch(text) and (post is not None or addressed):
        return press(ctx, card_meant(ctx, post), int(text))
    if known is not None:
        return known
    if about is not None and post is not None:
        return _within(ctx, message, about, post, addressed=addressed)
    if not addressed:
        return NOTHING
    if not text and not message.files:
        return Wanted(ctx.world.commands["aide"])
    if message.to.surface == "direct":
        return _quoted(ctx, text) or _misquoted(ctx, text) or _direct(ctx, message, text)
    return _courtesy(ctx, text) or _quoted(ctx, text) or _misquoted(ctx, text) or _new(ctx, message, text)


def _new(ctx: Context, message: Message, text: str) -> Plan:
    last = find.last_asked(ctx.session, message.author.id, message.to) if message.to.thread is None else None
    soon = last is not None and ctx.now - _last_said(ctx, last) <= ctx.world.joined
    if last is not None and soon and (last.recipient is None or not _stands_alone(ctx, text)):
        return named(ctx, "repondre", f"{last.number} {text}", last)
    return named(ctx, "question", text, None)


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
    return None if question is None else named(ctx, "voir", question.number, question)


def _misquoted(ctx: Context, text: str) -> Plan | None:
    """A number that is no question's is a slip of the pen: the words go to no other question without being asked."""
    numbers = [match[0] for match in _QUOTED.finditer(text)]
    if not numbers or any(find.by_number(ctx.session, number) is not None for number in numbers):
        return None
    told = Paragraph(Text.of("question.unknown", number=numbers[0].upper()))
    more = any(c.isalpha() for c in _QUOTED.sub("", text)) and len(text) <= CARRIED
    ask = (Button(Text.of("button.new_question"), "question", text),) if more else ()
    return Asked(Card(None, (told, Buttons((*ask, queue())))))


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
    return named(ctx, "citation" if shared else "voir", question.number, question)


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


def _within(ctx: Context, message: Message, about: Question, post: Post, *, addressed: bool) -> Plan:
    """Something said in a question's thread: the asker's own words cross, others' stay among colleagues."""
    own = message.author.id == about.asker_account and post.side == "asker"
    polite = _courtesy(ctx, message.text)
    if polite is not None and (about.state == "asked_back" or (addressed and not own)):
        return polite if addressed else NOTHING  # thanks complete no question
    if own or message.to.surface == "direct" or in_dialogue(ctx.session, about, post.side):
        return named(ctx, "repondre", f"{about.number} {message.text}", about)
    if not addressed:
        return NOTHING
    if len(message.text) > CARRIED or "recipient" not in moves.sides_of(ctx.session, ctx.actor, about):
        return named(ctx, "question", message.text, None)
    reply = Button(Text.of("button.answer_to", number=about.number), "repondre", f"{about.number} {message.text}")
    return either(message.text, reply, "question")


def _direct(ctx: Context, message: Message, text: str) -> Plan:
    """In a direct room: what follows soon joins the last question; later, ask which is meant."""
    open_ = find.open_of(ctx.session, ctx.inbound.author.id)
    if not open_:
        return _courtesy(ctx, text) or named(ctx, "question", text, None)
    polite = _courtesy(ctx, text)
    here = next((question for question in open_ if _asked_in_private(ctx, question)), None)
    if here is not None and here.state == "asked_back" and polite is not None and not message.files:
        return polite  # thanks complete no question
    if here is not None and (message.files or ctx.now - _last_said(ctx, here) <= JOINED):  # a file asks nothing new
        return named(ctx, "repondre", f"{here.number} {text}", here)
    if polite is not None:
        return polite
    if message.files or len(text) > CARRIED:  # no button could carry it
        return named(ctx, "question", text, None)
    last = open_[0]
    more = Button(Text.of("button.more_of", number=last.number), "repondre", f"{last.number} {text}")
    return either(text, more, "question")


def _last_said(ctx: Context, question: Question) -> datetime:
    """When its asker last said something of a question; one asked by a button or form has no message of theirs."""
    return find.last_word(ctx.session, question.id, ctx.inbound.author.id) or question.asked_at


def _asked_in_private(ctx: Context, question: Question) -> bool:
    """Whether a question was not asked before colleagues: what is said in private never joins one that was."""
    end = find.endpoint(ctx.session, question.id, "asker")
    return end is not None and end.surface != "room"
