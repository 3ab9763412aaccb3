"""Operations of the fake itself: set up a workspace, look at it, make it fail. Values in and out are JSON, so that a
test in the same process and one that talks over ``/_test/`` do the very same thing."""

import base64
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from .core import Core
from .delivery import Envelope
from .faults import Fault
from .httpmode import Forgery
from .people_operations import PeopleOperations
from .wire import Payload
from .workspace import Account, Channel, Kind, Message

Operation = Callable[..., Awaitable[Payload]]


def described(core: Core, message: Message) -> Payload:
    """A message for a test: current state, and what it was."""
    return {
        "channel": message.channel,
        "body": message.to_slack(),
        "metadata": message.metadata,
        "deleted": message.deleted,
        "ephemeral_to": message.ephemeral_to,
        "versions": message.versions,
        "bot": message.body.get("bot_id") == core.workspace.bot.bot_id,
    }


class Operations(PeopleOperations):
    """Every public coroutine is an operation; its name is its address."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)

    async def run(self, op: str, args: Payload) -> Payload:
        """Carry out one operation."""
        if not re.fullmatch(r"[a-z][a-z_]+", op) or op == "run" or not hasattr(self, op):
            message = f"no operation {op}"
            raise LookupError(message)
        return await cast("Operation", getattr(self, op))(**args)

    async def info(self) -> Payload:
        """Addresses, tokens and ids."""
        core, bot = self.core, self.core.workspace.bot
        return {
            "base": core.base,
            "api_url": f"{core.base}/api/",
            "bot_token": core.bot_token,
            "app_token": core.app_token,
            "signing_secret": core.signing_secret,
            "team": bot.team,
            "bot_user": bot.id,
            "bot_id": bot.bot_id,
            "app_id": bot.app_id,
            "settings": core.settings.to_json(),
        }

    def define_user(self, **facts: Any) -> None:
        """Add or replace a person (or another app's bot)."""
        known: dict[str, Any] = {"team": self.core.workspace.team, **facts}
        account = Account(**known)
        self.core.workspace.accounts[account.id] = account

    def define_channel(
        self,
        id: str,  # noqa: A002
        name: str,
        kind: Kind = "channel",
        members: list[str] | None = None,
        teams: list[str] | None = None,
    ) -> None:
        """Add a conversation; asking for one that exists only adds members."""
        workspace = self.core.workspace
        found = workspace.channels.get(id)
        if found is None:
            found = Channel(id, name, kind, teams=teams or [workspace.team], created=int(time.time()))
            workspace.channels[id] = found
        found.members.update(members or [])
        found.teams = teams or found.teams

    async def define(self, kind: str, facts: Payload) -> Payload:
        """``define_user`` or ``define_channel`` from afar."""
        (self.define_user if kind == "user" else self.define_channel)(**facts)
        return {}

    async def configure(self, **changes: Any) -> Payload:
        """Change settings."""
        return self.core.apply(changes).to_json()

    async def app(
        self, scopes: list[str] | None = None, bot_events: list[str] | None = None, revoked: bool | None = None
    ) -> Payload:
        """What the app was granted: scopes, event subscriptions, a valid token."""
        if scopes is not None:
            self.core.scopes = frozenset(scopes)
        if bot_events is not None:
            self.core.events.subscribed = frozenset(bot_events)
        if revoked is not None:
            self.core.revoked = revoked
        return {}

    async def posts(self, channel: str, since: str = "", ts: str = "") -> Payload:
        """All messages of a conversation in order of time, those after ``since``, or the one at ``ts``."""
        found = self.core.workspace.channels.get(channel)
        if found and ts:
            return {"posts": [described(self.core, found.messages[ts])] if ts in found.messages else []}
        messages = self.core.workspace.messages(found) if found else iter(())
        return {"posts": [described(self.core, each) for each in messages if each.ts > since]}

    async def ledger(self, kinds: list[str] | None = None, since: int = 0, equal: Payload | None = None) -> Payload:
        """Entries of the ledger."""
        return {"entries": self.core.ledger.find(kinds, since, **(equal or {})), "last": len(self.core.ledger.entries)}

    async def calls(self) -> Payload:
        """How often each method was called."""
        return {"calls": dict(self.core.ledger.calls)}

    async def changes(self, since: int, timeout: float) -> Payload:
        """Wait for a new entry in the ledger."""
        return {"last": await self.core.ledger.changed(since, timeout)}

    async def names(self) -> Payload:
        """Names of accounts and conversations, for transcripts."""
        accounts = {each.id: each.name for each in self.core.workspace.accounts.values()}
        rooms = self.core.workspace.channels.values()
        return {"users": accounts, "channels": {each.id: accounts.get(each.name, each.name) for each in rooms}}

    async def screen(self, user: str) -> Payload:
        """What a person sees of the app's views: the top modal, and the App Home."""
        stack = self.core.views.stacks.get(user, [])
        return {"modal": stack[-1] if stack else None, "home": self.core.views.homes.get(user), "depth": len(stack)}

    async def file(self, file: str) -> Payload:
        """A file and its content."""
        stored = self.core.files.get(file)
        return {"file": self.core.files.to_slack(stored), "content": base64.b64encode(stored.content or b"").decode()}

    async def fault(self, **plan: Any) -> Payload:
        """Plan a failure (:class:`~tests.fakes.slack.faults.Fault`)."""
        self.core.faults.planned.append(Fault(**plan))
        return {}

    async def clear_faults(self) -> Payload:
        """No planned failure is left."""
        self.core.faults.planned.clear()
        return {}

    async def outage(self, kind: str = "reset", lose_events: bool = False) -> Payload:
        """Nothing works: calls fail (``reset``, ``error``, ``hang``), connections break, events wait or are lost."""
        self.core.faults.outage = cast("Any", kind)
        self.core.delivery.up.clear()
        self.core.events.losing = lose_events
        return {"dropped": self.core.socket.drop()}

    async def recover(self) -> Payload:
        """Everything works again; lost events stay lost."""
        self.core.faults.outage = ""
        self.core.delivery.up.set()
        self.core.events.losing = False
        return {}

    async def connections(self) -> Payload:
        """Open Socket Mode connections."""
        return {"open": len([each for each in self.core.socket.connections if each.open])}

    async def drop_connections(self) -> Payload:
        """Break all Socket Mode connections without a word."""
        return {"dropped": self.core.socket.drop()}

    async def freeze_connections(self, frozen: bool = True) -> Payload:
        """Let them die silently (no data, no pong), or revive them."""
        return {"frozen": self.core.socket.freeze(frozen=frozen)}

    async def disconnect(self, reason: str = "refresh_requested", close_after: float = 0.0) -> Payload:
        """Slack announces the end of the connections."""
        return {"told": await self.core.socket.disconnect(reason, close_after=close_after)}

    async def hold_events(self) -> Payload:
        """Keep events back."""
        self.core.delivery.hold()
        return {}

    async def release_events(self, reverse: bool = False) -> Payload:
        """Send what was kept back."""
        return {"released": self.core.delivery.release(reverse=reverse)}

    async def settled(self, timeout: float = 5.0) -> Payload:
        """Wait until every event is acknowledged or lost."""
        return {"pending": await self.core.delivery.settled(timeout)}

    async def event(self, event: Payload) -> Payload:
        """Send any event, as it stands."""
        return {"event_id": self.core.events.publish(event)}

    async def http_mode(self, url: str) -> Payload:
        """Send everything to this URL instead of the socket; empty: back to the socket."""
        self.core.http.url = url
        return {}

    async def verify_url(self) -> Payload:
        """Slack checks the URL."""
        return {"verified": await self.core.http.verify_url("verification-token")}

    async def forge(self, forged: Forgery, event: Payload) -> Payload:
        """Somebody else sends an event to the app's URL."""
        payload: Payload = {"type": "event_callback", "team_id": self.core.workspace.team, "event": event}
        payload |= {
            "event_id": self.core.workspace.ids.new("Ev"),
            "event_time": int(time.time()),
            "api_app_id": self.core.workspace.bot.app_id,
        }
        return {"status": await self.core.http.forge(Envelope("forged", "events_api", payload), forged)}

    async def replay(self) -> Payload:
        """Somebody sends the last genuine request again."""
        return {"status": await self.core.http.replay()}
