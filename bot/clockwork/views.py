"""For whom cards of the agenda are drawn when the bot speaks first."""

from bot.agenda.cards import View
from bot.context import Scope
from bot.message import Address


def view_at(ctx: Scope, to: Address) -> View:
    """Return for whom cards of the agenda are drawn at an address."""
    zone = ctx.outbox.reader(to).zone
    return View(zone, ctx.now, ctx.directory(), ctx.world.rules, encrypted=ctx.outbox.encrypted(to))
