"""Where a reply is said, and as what: a card, a form, errors beside their fields, or the acknowledgement itself."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from bot.card import Card, Errors, Form, Paragraph, Reply, rendered_form
from bot.context import Context
from bot.message import Address, Message, Reaction
from bot.posts import Placing
from bot.questions.find import card_in, post_of
from bot.texts import Text


@dataclass(frozen=True, slots=True)
class Replies:
    """Says replies. `pointers` names the platforms where what is private goes to a direct room."""

    pointers: Collection[str]

    def answer(self, ctx: Context, reply: Reply, *, private: bool) -> Reply:
        """Hand back what belongs into the acknowledgement, say the rest."""
        if isinstance(reply, Card) and ctx.to.surface != "home":
            self.say(ctx, self.place(ctx, private=private), reply, "reply")
            return None
        reader = ctx.outbox.reader(ctx.to)
        match reply:
            case Form():
                return rendered_form(reply, lambda w: ctx.world.catalogues.render(w, reader))
            case Errors(by_field):
                return Errors(tuple((name, ctx.world.catalogues.render(w, reader)) for name, w in by_field))
            case Card():
                return ctx.outbox.render(ctx.to, reply)
            case None:
                return None

    def say(self, ctx: Context, to: Address, card: Card, name: str) -> None:
        """Say a card, and in the room that somebody is answered elsewhere where that is so."""
        ctx.say(to, card, name, Placing(ctx.about.id if ctx.about else None, asked_of=ctx.inbound.author.id))
        if to.audience is not None and to.platform in self.pointers:
            pointer = Card(None, (Paragraph(Text.of("reply.in_private")),))
            ctx.say(replace(to, audience=None), pointer, "pointer")

    def place(self, ctx: Context, *, private: bool) -> Address:
        """Return where a reply is said: to its author alone if it is `private`, else beneath what it answers."""
        to = ctx.to
        if to.surface != "room":
            return Address(to.platform, to.room, surface="direct")
        reachable = to.platform not in self.pointers or ctx.actor.person is not None
        if private and reachable and to.platform != "console":
            return replace(to, audience=ctx.inbound.author)
        thread = to.thread or _thread_above(ctx) or getattr(ctx.inbound, "message_id", None)
        return replace(to, thread=thread or getattr(ctx.inbound, "pressed", None) or _card_here(ctx))


def _thread_above(ctx: Context) -> str | None:
    """Return the thread of the message that was reacted or replied to: what follows from it belongs beside it.

    A reply in a thread can be no root of another.
    """
    match ctx.inbound:
        case Reaction(message_id=above, on=on):
            pass
        case Message(reply_to=str(above)):
            on = None
        case _:
            return None
    post = post_of(ctx.session, ctx.to.platform, ctx.to.room, above)
    if post is not None:
        return post.thread or above
    return on.to.thread if on is not None else None


def _card_here(ctx: Context) -> str | None:
    """Return the thread of the question's card in this room: a slash command has no message to answer beneath."""
    card = card_in(ctx.session, ctx.about, ctx.to) if ctx.about is not None else None
    return card and (card.thread or f"key:{card.key}")
