"""Alembic's entry: it is configured in code, by `bot.migrate`, which hands over the connection."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bot.db import Base, Instant


def _plainly(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Write our own type as the column that it is: a migration does not change with our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_plainly,
    compare_type=True,
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
