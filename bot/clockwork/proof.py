"""The head of the audit is given away once a day: who keeps it can show later that nothing before it was touched."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.orm import Session

from bot import due
from bot.audit import chain
from bot.card import Card, Paragraph
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope
from bot.conversation.telling import tell_administrators
from bot.texts import Markdown, Text

log = structlog.get_logger()

HEAD: Final = "audit head"  # the kind of due things
_EVERY: Final = timedelta(days=1)


def begin(session: Session, now: datetime) -> None:
    """Let the head be given away in a day, unless it is to be anyway."""
    due.ensure(session, HEAD, "all", now + _EVERY)


def give_away(ctx: Scope, _ring: Ring) -> Again:
    """Write the head to the log, and say it in the administrators' rooms."""
    head = chain.head(ctx.session)
    log.info("audit_head", head=str(head))
    words = Text.of("audit.head", entries=head.position, head=Markdown(f"`{head}`"))
    tell_administrators(ctx, Card(Text.of("audit.title"), (Paragraph(words),)), f"audit/{ctx.today}")
    return ctx.now + _EVERY


KINDS: Mapping[str, Kind] = {HEAD: Kind(give_away)}
