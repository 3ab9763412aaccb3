"""Slack as a platform of the bot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from aiohttp import web as http

from bot.card import Card
from bot.clock import Clock, system_clock
from bot.errors import ConfigurationError, NotSent, SendError
from bot.files import Upload
from bot.message import Address
from bot.platforms import Live, Memory, Receive, Report
from bot.platforms.slack.backfill import Backfill
from bot.platforms.slack.earlier import Earlier
from bot.platforms.slack.files import Files
from bot.platforms.slack.gateway import Before, Gateway
from bot.platforms.slack.options import Identity, SlackOptions
from bot.platforms.slack.people import DirectRooms
from bot.platforms.slack.sending import Sender
from bot.platforms.slack.sockets import SocketMode
from bot.platforms.slack.web import DeadToken, Web, call

PATH = "/slack/events"

T = TypeVar("T")


class SlackPlatform:
    """One Slack app in one workspace, by Socket Mode or by signed HTTP requests."""

    name = "slack"

    def __init__(
        self,
        settings: SlackOptions,
        *,
        memory: Memory,
        report: Report,
        live: Live,
        clock: Clock = system_clock,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        """Put the platform together; `alone` tells whether no other process listens to the same app."""
        self._settings = settings
        self._report = report
        self._web = Web(settings)
        direct = DirectRooms(self._web)
        self._gateway = Gateway(
            settings,
            self._web,
            direct,
            clock,
            Before(
                self._waited_for,
                self._passed,
                self._left_to_history,
                self._missed,
                Earlier(self._web, alone, pace=settings.pace),
            ),
        )
        self._backfill = Backfill(self._web, self._gateway, memory, live, clock, pace=settings.pace)
        self._sender = Sender(self._web, direct, self._identity)
        self._direct = direct
        self._files = Files(settings, self._web, direct)
        self._me: Identity | None = None
        self._refused = False

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled. Raises `ConfigurationError` when Slack does not accept a token."""
        if self._settings.mode == "http" and not self._settings.signing_secret:
            raise ConfigurationError("slack.signing_secret is empty: in HTTP mode anybody could pretend to be Slack")
        try:
            me = await self._known_at_last()
            self._gateway.open(me, receive)
            if self._settings.mode == "http":
                self._connected(gap=True)
                await asyncio.Event().wait()
            await SocketMode(
                self._web,
                self._gateway.take,
                self._settings.app_token,
                connected=lambda gap: self._connected(gap=gap),
                lost=lambda reason: self._report(ok=False, reason=f"Slack is not connected: {reason}"),
                dead=lambda error: _dead(_MEND_APP, error),
                pace=self._settings.pace,
            ).run()
        finally:
            await self.close()

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        """Say a card; see the protocol."""
        return await self._reported(self._sender.send(to, card, key=key, again=again))

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None:
        """Rewrite a message of the bot's."""
        await self._reported(self._sender.edit(to, message_id, card))

    async def delete(self, to: Address, message_id: str, *, key: str) -> None:
        """Take a message of the bot's back."""
        await self._reported(self._sender.delete(to, message_id))

    async def send_file(self, to: Address, file: Upload, *, key: str, again: bool) -> str:
        """Share a file; what an earlier try may have done is known by the name that it kept."""
        del key, again
        return await self._reported(self._files.send(to, file))

    def fetch(self, source: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file, by its id."""
        return self._files.fetch(source)

    async def delete_file(self, to: Address, message_id: str, *, key: str) -> None:
        """Take a message of the bot's back, and the file that it shows."""
        if message_id:
            channel = await self._direct.room_with(to.room)
            await self._reported(self._files.delete(channel, to.thread, message_id))
        await self.delete(to, message_id, key=key)

    async def join(self, room: str) -> None:
        """Do nothing: on Slack to be invited is to be in."""

    def routes(self) -> list[http.RouteDef]:
        """Return what the application's own web server must serve in HTTP mode, nothing in Socket Mode."""
        if self._settings.mode != "http":
            return []
        from bot.platforms.slack.requested import Requests  # noqa: PLC0415 -- Bolt, which a socket does without

        return [http.post(PATH, Requests(self._settings, self._gateway).answer)]

    async def close(self) -> None:
        """Take and read no more, and close connections; a later call opens its own again."""
        self._gateway.close()
        await self._backfill.stop()
        await self._web.close()

    async def _waited_for(self, channel: str) -> None:
        await self._backfill.waited_for(channel)

    def _passed(self, channel: str) -> bool:
        return self._backfill.passed(channel)

    def _left_to_history(self, channel: str, thread: str) -> bool:
        return self._backfill.left_to_history(channel, thread)

    def _connected(self, *, gap: bool) -> None:
        self._report(ok=True)
        if gap:
            self._missed()

    def _missed(self) -> None:
        """Something may have been said that nobody kept."""
        if self._me is not None:
            self._backfill.begin(self._me)

    async def _identity(self) -> Identity:
        """Return the bot's own account; asked for once."""
        if self._me is None:
            answer = await call(self._web.client.auth_test)
            name = str(answer.get("user") or "passerelle")
            self._me = Identity(str(answer["team_id"]), str(answer["user_id"]), str(answer.get("bot_id") or ""), name)
        return self._me

    async def _known_at_last(self) -> Identity:
        pause = 0.5
        while True:
            try:
                return await self._identity()
            except SendError as error:
                if end := _dead(_MEND_BOT, error):
                    raise end from error
                self._report(ok=False, reason=f"Slack is out of reach: {error}")
                pause = min(pause * 2, 30.0)
                asked = error.retry_after if isinstance(error, NotSent) else None
                await asyncio.sleep(max(asked or 0.0, pause * self._settings.pace))

    async def _reported(self, work: Awaitable[T]) -> T:
        try:
            done = await work
        except DeadToken as error:
            self._refused = True
            self._report(ok=False, reason=f"Slack refuses {_MEND_BOT.format(error.word)}")
            raise
        if self._refused:
            self._refused = False
            self._report(ok=True)
        return done


_MEND_BOT = "slack.bot_token ({}): install the app with config/slack-manifest.yaml and enter its bot token (xoxb-…)"
_MEND_APP = "slack.app_token ({}): make an app-level token with connections:write and enter it (xapp-…)"


def _dead(token: str, error: SendError) -> ConfigurationError | None:
    return ConfigurationError(f"Slack refuses {token.format(error.word)}") if isinstance(error, DeadToken) else None
