"""What an event asks for: a command with its arguments, a choice to offer, or nothing."""

from collections.abc import Callable

from bot.card import Card, Paragraph
from bot.context import Context
from bot.interpret.commands import CARRIED, card_meant, named, number_in, press, spelled, typed, without_command
from bot.interpret.plan import NOTHING, Asked, Nothing, Plan, Wanted, post_of, question_of
from bot.interpret.words import said_message
from bot.message import CROSSING, Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange
from bot.posts import Post
from bot.questions import find
from bot.questions.tables import Question
from bot.relay import hand_over
from bot.relay.following import follow_deletion, follow_edit
from bot.texts import Text

__all__ = ["CARRIED", "Asked", "Nothing", "Plan", "Wanted", "spelled", "understand", "without_command"]

# What a reaction presses that is not proven: it lets no word cross, and can be undone.
_HARMLESS = {"aide", "avis", "clore", "demandes", "historique", "plus", "prendre", "repondre", "rouvrir", "voir"}

_KEYCAPS = {f"{n}\ufe0f\u20e3": n for n in range(1, 10)} | {"\U0001f51f": 10}


def understand(ctx: Context, inbound: Inbound) -> Plan:
    """Return what an event asks for. Raises nothing: what does not fit is found when it is bound."""
    match inbound:
        case Message():
            return said_message(ctx, inbound)
        case Invocation():
            return _invocation(ctx, inbound)
        case Reaction(emoji=emoji, message_id=on) if emoji in _KEYCAPS:
            post = post_of(ctx, on)
            plan = press(ctx, post, _KEYCAPS[emoji]) if post is not None and post.key is not None else NOTHING
            return plan if inbound.proven or _is_harmless(plan) else _unproven("choice.unproven", _KEYCAPS[emoji])
        case Reaction(emoji=emoji, on=Message() as on) if emoji.startswith(CROSSING):
            plan = _crossing(ctx, on)
            return plan if inbound.proven or not isinstance(plan, Wanted) else _unproven("crossing.unproven")
        case Edit(message_id=on, text=text):
            post = post_of(ctx, on)
            words = without_command(ctx, text)
            return _about_post(ctx, post, lambda c, found: follow_edit(c, found, words))
        case Deletion(message_id=on):
            post = post_of(ctx, on)
            return _about_post(ctx, post, follow_deletion)
        case Reaction() | RoomChange():
            return NOTHING


def _is_harmless(plan: Plan) -> bool:
    if not isinstance(plan, Wanted):
        return True
    words = plan.command.name == "repondre" and len(plan.line.split()) > 1  # beside the question's number
    return plan.command.name in _HARMLESS and not words


def _unproven(key: str, number: int = 0) -> Asked:
    return Asked(Card(None, (Paragraph(Text.of(key, number=number)),)), refused="unproven reaction")


def _crossing(ctx: Context, message: Message) -> Plan:
    """Somebody lets a message cross: to the question in whose thread it stands, or to the only one in the room."""
    if _is_ours(ctx, message.message_id):
        return NOTHING
    post = post_of(ctx, message.reply_to) or post_of(ctx, message.to.thread) or post_of(ctx, message.message_id)
    question = question_of(ctx, post)
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
    post = post_of(ctx, message_id)
    return post is not None and post.key is not None


def _invocation(ctx: Context, inbound: Invocation) -> Plan:
    post = post_of(ctx, inbound.pressed) or post_of(ctx, inbound.to.thread)
    about = question_of(ctx, post)
    if inbound.command == "passerelle":
        return typed(ctx, inbound.line, post, about) if inbound.line.strip() else Wanted(ctx.world.commands["aide"])
    if inbound.command == "choix":
        return press(ctx, card_meant(ctx, post), number_in(inbound.line))
    if inbound.command not in ctx.world.commands:
        return Asked(Card(None, (Paragraph(Text.of("button.old")),)))
    return named(ctx, inbound.command, inbound.line, about, inbound.form)


def _about_post(ctx: Context, post: Post | None, act: Callable[[Context, Post], None]) -> Plan:
    if post is None or post.key is not None:
        return NOTHING
    return Wanted(ctx.world.commands["repondre"], about=question_of(ctx, post), act=lambda c: act(c, post))
