"""Linking: a room to the organisation it speaks for, an account to the person it belongs to."""

from bot import due
from bot.card import Button, Buttons, Card, Paragraph, Reply
from bot.clockwork.visits import ASSOCIATE
from bot.command import command
from bot.context import Context
from bot.conversation import deliver_waiting
from bot.directory import linking, rooms
from bot.directory.history import Author
from bot.errors import UserError
from bot.grammar import Rest
from bot.rights import Denied, may
from bot.texts import Markdown, Text

ME = ("moi", "me")


@command("relier", alias="link", right="reader", private=True, strangers=True)
def link(ctx: Context, quoi: Rest) -> Reply:
    """`relier moi` gives a code, `relier moi CODE` proves it; `relier ORGANISATION` links this room."""
    first, _, rest = quoi.partition(" ")
    if first.casefold() in ME:
        return _me(ctx, rest.strip())
    return _room(ctx, quoi)


def _me(ctx: Context, code: str) -> Reply:
    if ctx.to.surface != "direct" and ctx.to.platform != "console" and code:
        raise UserError("link.privately")
    user = ctx.inbound.author
    if not code:
        fresh = linking.start(ctx.session, user, ctx.now)
        return Card(None, (Paragraph(Text.of("link.code", code=fresh)),))
    code, _, sure = code.partition(" ")
    stranger = linking.unlinked_maker(ctx.session, code, ctx.now) if ctx.actor.person else None
    if stranger is not None and not sure:
        yes = Button(Text.of("button.relier"), "relier", f"moi {code} oui", "primary")
        return Card(None, (Paragraph(Text.of("link.confirm", account=Markdown(stranger))), Buttons((yes,))))
    proved = linking.prove(ctx.session, code, user, ctx.now)
    return Card(None, (Paragraph(proved if isinstance(proved, Text) else Text.of("link.done")),))


def _room(ctx: Context, words: str) -> Reply:
    if not may(ctx.actor.rights, "room.link"):
        raise Denied("room.link", "link.coordinators_only")
    if ctx.to.surface != "room":
        raise UserError("link.in_the_room")
    orgs = ctx.directory().organisations
    if words not in orgs:
        hits = ctx.find(words, limit=5)
        found = {h.id: h.name for h in hits if h.kind == "organisation"}
        if not found:
            raise UserError("redirect.unknown", words=words[:80])
        buttons = tuple(Button(name, "relier", id_) for id_, name in found.items())
        return Card(None, (Paragraph(Text.of("link.which")), Buttons(buttons)))
    author = Author(ctx.now, "link", ctx.actor.person, ctx.inbound.author.id)
    rooms.link(ctx.session, words, ctx.to.platform, ctx.to.room, ctx.now, author=author)
    waiting = deliver_waiting(ctx, words)
    due.wake(ctx.session, (ASSOCIATE,))
    ctx.say(ctx.to, Card(None, (Paragraph(Text.of("link.room", name=orgs[words].name, waiting=waiting)),)), "linked")
    return None
