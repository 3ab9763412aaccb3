"""What a handler is given beside its arguments: who asks, from where, when, and the one transaction they share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from bot.agenda.ahead import Lookahead
from bot.agenda.borders import Borders
from bot.agenda.seats import Corps
from bot.card import Card
from bot.courtesy import Courtesy
from bot.directory.confirming import EVERY
from bot.directory.current import Current
from bot.directory.days import ZONE
from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.files import Limits
from bot.grammar import Command
from bot.message import Address, Inbound
from bot.outbox import Outbox
from bot.posts import NOWHERE, Placing
from bot.questions.tables import Question
from bot.questions.terms import Terms
from bot.routing.learnt import Learnt
from bot.routing.rules import Rules
from bot.search.current import Finder
from bot.search.hits import Hit
from bot.texts import Catalogues


@dataclass(frozen=True, slots=True)
class World:
    """What does not change while the process runs, but for the directory and what was learnt."""

    learnt: Learnt
    catalogues: Catalogues
    current: Current
    finder: Finder
    commands: Mapping[str, Command]
    courtesy: Courtesy
    terms: Terms
    borders: Borders
    corps: Mapping[str, Corps]
    ahead: Lookahead = field(default_factory=Lookahead)
    zone: str = ZONE  # of an organisation that has none
    confirm_every: timedelta = EVERY  # how often people are asked whether their card is true
    alone_up_to: int = 100  # rows that an import in chat may change or close before a second person must agree
    seconded: bool = False  # whether a model is asked which choice fits a question that is asked back
    joined: timedelta = timedelta(seconds=30)  # what who asked says so soon after is part of the question
    limits: Limits = field(default_factory=Limits)  # which files may cross
    public_url: str = "http://127.0.0.1:8080"  # where calendar programs reach this bot's HTTP server
    feeds: tuple[str, ...] = ()  # the hosts whose calendars may be followed
    platforms: Collection[str] = ()  # that this bot is on, where it may speak first

    @property
    def rules(self) -> Rules:
        """The rules of routing as they came with the release."""
        return self.learnt.shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One transaction and its way out: what any decision needs, a person's or the clockwork's.

    `key` begins the key of everything said because of it, so that a replay says it once.
    """

    session: Session
    now: datetime
    outbox: Outbox
    world: World
    key: str

    @property
    def today(self) -> date:
        """The day of the transaction, in UTC."""
        return self.now.date()

    def directory(self) -> Snapshot:
        """Return the directory as it is now."""
        return self.world.current.get(self.session)

    def rules(self) -> Rules:
        """Return the rules of routing, with the newest model."""
        return self.world.learnt.get(self.session, self.directory())

    def say(self, to: Address, card: Card, name: str, placing: Placing = NOWHERE) -> str:
        """Say a card somewhere; `name` tells it from the others of this invocation. Return its key."""
        return self.outbox.put(to, card, key=f"{self.key}/{name}", placing=placing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Scope):
    """One invocation: somebody asks for something somewhere."""

    actor: Actor
    inbound: Inbound
    about: Question | None = None  # the question in whose thread, or on whose card, it was asked
    sealed: bool = False  # its words come from an encrypted room that keeps them
    choice: str | None = None  # what its author decided about identifiers of persons in it (`bot.relay.holding`)

    @property
    def cleared(self) -> bool:
        """Whether identifiers of persons are shown as they are."""
        return self.choice == "tel_quel"

    @property
    def to(self) -> Address:
        """Where it was asked."""
        return self.inbound.to

    def find(self, text: str, *, limit: int) -> list[Hit]:
        """Return the best of what a few words find in the directory, as far as the actor may see it."""
        return self.world.finder.find(self.session, text, limit=limit, visible_to=self.actor, at=self.now)

    def on(self, question: Question) -> "Context":
        """Return this context about a question."""
        return replace(self, about=question)
