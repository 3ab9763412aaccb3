"""Everything the fake consists of, put together; the Web API and the control operations work on it."""

from collections.abc import Iterable
from pathlib import Path

from .delivery import Delivery, Transport
from .events import Events
from .faults import Faults, Limits
from .files import Files
from .httpmode import HttpMode
from .ledger import Ledger
from .posting import Posting
from .settings import Settings
from .socketmode import SocketMode
from .views import Triggers, Views
from .wire import Payload
from .workspace import Workspace

SCOPES = frozenset(
    """
    app_mentions:read channels:history channels:join channels:read chat:write commands files:read files:write
    groups:history groups:read im:history im:read im:write mpim:history mpim:read reactions:read reactions:write
    team:read users:read users:read.email
    """.split()
)
"""Granted unless a test grants others; ``chat:write.public`` and ``chat:write.customize`` are left out on purpose."""


class Core:
    """One Slack with one workspace and one installed app."""

    bot_token = "xoxb-fake-bot-token"
    app_token = "xapp-1-fake-app-token"
    signing_secret = "8f742231b10e8888abcd99yyyzzz85a5"

    def __init__(
        self, ledger: Path | None = None, settings: Settings | None = None, scopes: Iterable[str] | None = None
    ) -> None:
        self.ledger = Ledger(ledger)
        self.workspace = Workspace()
        self.scopes = frozenset(scopes) if scopes is not None else SCOPES
        self.revoked = False
        self.settings = settings or Settings()
        self.socket = SocketMode(self.workspace, self.ledger, self._settings)
        self.http = HttpMode(self._settings, self.signing_secret)
        self.delivery = Delivery(self.ledger, self._settings, self._transport)
        self.events = Events(self.workspace, self.delivery)
        self.posting = Posting(self.workspace, self.ledger, self.events)
        self.triggers = Triggers(self.workspace)
        self.views = Views(self.workspace, self.ledger)
        self.files = Files(self.workspace)
        self.faults = Faults()
        self.limits = Limits()
        self.response_urls: dict[str, Payload] = {}
        self.base = ""
        self.apply({})

    def _settings(self) -> Settings:
        return self.settings

    def _transport(self) -> Transport:
        return self.http if self.http.url else self.socket

    def apply(self, changes: Payload) -> Settings:
        """Change settings and hand them to the parts that keep a copy."""
        self.settings = self.settings.changed(changes)
        self.posting.settings = self.settings
        self.workspace.offset = self.settings.clock_offset
        self.events.seed(self.settings)
        return self.settings

    def listening(self, base: str) -> None:
        """The server's address is known."""
        self.base = base
        self.files.base = base

    async def close(self) -> None:
        """Stop sending, close connections and the ledger's file."""
        await self.delivery.close()
        await self.socket.close()
        await self.http.close()
        self.ledger.close()
