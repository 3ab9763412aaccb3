"""The rules in use, with the newest model: what was trained here, else what came with the release."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.directory.current import touch
from bot.directory.snapshot import Snapshot
from bot.errors import NotYet
from bot.routing.learning import Model, dump, restore
from bot.routing.rules import Rules
from bot.routing.tables import RoutingModel


class Learnt:
    """The rules with the newest model; looked for again only when the directory was marked as changed.

    A model of an older release's examples and words is not used: `passerelle route train` makes it anew. The shipped
    rules are read when they are first needed: what waits to be said after a start needs none.
    """

    def __init__(self, load: Callable[[], Rules]) -> None:
        self._load = load
        self._loading = threading.Lock()
        self._shipped: Rules | None = None
        self._beside = False
        self._held: tuple[Snapshot, Rules] | None = None

    @property
    def shipped(self) -> Rules:
        """The rules as they came with the release. Raises NotYet while they are to be read beside the bot."""
        if self._shipped is None and self._beside:
            raise NotYet(self.read)
        return self._shipped or self.read()

    @property
    def known(self) -> bool:
        """Whether the shipped rules were read."""
        return self._shipped is not None

    def read_beside(self) -> None:
        """Let nobody read the shipped rules from now on but who calls `read`, holding nothing meanwhile."""
        self._beside = True

    def read(self) -> Rules:
        """Read the shipped rules, once."""
        with self._loading:
            if self._shipped is None:
                self._shipped = self._load()
            return self._shipped

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
