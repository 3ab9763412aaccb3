"""The model in use: the newest that was trained here, else the one that came with the release."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.directory.current import touch
from bot.directory.snapshot import Snapshot
from bot.routing.learning import Model, dump, restore
from bot.routing.rules import Rules
from bot.routing.tables import RoutingModel


class Learnt:
    """The rules with the newest model; looked for again only when the directory was marked as changed.

    A model of an older release's examples and words is not used: `passerelle route train` makes it anew.
    """

    def __init__(self, shipped: Rules) -> None:
        self.shipped = shipped
        self._held: tuple[Snapshot, Rules] | None = None

    def get(self, session: Session, directory: Snapshot) -> Rules:
        """Return the rules as they are used with a directory."""
        if self._held is None or self._held[0] is not directory:
            self._held = (directory, newest(session, self.shipped))
        return self._held[1]


def newest(session: Session, shipped: Rules) -> Rules:
    """Return the shipped rules with the newest model that was trained on them."""
    query = select(RoutingModel).order_by(RoutingModel.id.desc()).limit(1)
    row = session.scalar(query)
    return shipped if row is None or row.shipped != mark(shipped) else replace(shipped, model=restore(row.model))


def keep(session: Session, model: Model, rules: Rules, examples: int, now: datetime) -> None:
    """Keep a model as the newest, for every process; older ones are forgotten."""
    session.execute(delete(RoutingModel))
    touch(session)
    session.add(RoutingModel(trained_at=now, examples=examples, shipped=mark(rules), model=dump(model)))


def mark(rules: Rules) -> str:
    """Return what tells one release's examples and words from another's: its own model follows from both."""
    return sha256(dump(rules.model).encode()).hexdigest()
