"""The platform itself: what the core asks for, put together from the rest of this package."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.card import Card
from bot.clock import Clock, system_clock
from bot.errors import ConfigurationError, NotSent, SendError
from bot.message import Address
from bot.platforms import Live, Memory, Receive, Report
from bot.platforms.matrix import crosssigning, drawing, private
from bot.platforms.matrix.crosssigning import IdentityFile
from bot.platforms.matrix.direct import DirectRooms
from bot.platforms.matrix.keys import Keys, KeyStoreLost
from bot.platforms.matrix.machine import Machine, open_machine
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.parking import Parking
from bot.platforms.matrix.patience import Backoff
from bot.platforms.matrix.rooms import Rooms
from bot.platforms.matrix.sending import Sending, mapped, transaction
from bot.platforms.matrix.session import Session, dead_token, log_in, log_out, open_session
from bot.platforms.matrix.sync import Sync
from bot.platforms.matrix.timeline import Timeline, join
from bot.platforms.matrix.trust import Trust, drop_pin
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json, Unreachable

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Parts:
    """What exists once we are logged in and the homeserver knows our keys."""

    session: Session
    machine: Machine
    keys: Keys
    rooms: Rooms
    direct: DirectRooms
    sending: Sending


class MatrixPlatform:
    """Matrix, through one account of an ordinary homeserver. Fulfils `Platform`, `Edits` and `Joins`."""

    name = "matrix"

    def __init__(
        self, options: MatrixOptions, *, memory: Memory, report: Report, live: Live, clock: Clock = system_clock
    ) -> None:
        # `live` is not needed: a sync names every room in which something was missed, and the way back to it.
        self._options = options.checked()
        self._memory = memory
        self._report = report
        self._clock = clock
        self._home = Homeserver(options.homeserver, pace=options.pace)
        self._claim = private.Claim(options.store)
        self._starting = asyncio.Lock()
        self._identity_changed = False
        self._parts: _Parts | None = None

    # --- life

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled.

        Raises ConfigurationError when an operator must act.
        """
        while True:
            parts = await self._start_patiently()
            try:
                await self._sync(parts).run(receive, self._check_identity)
            except KeyStoreLost as error:
                await self._renew(str(error))
            except HomeserverError as error:
                # A dead token is the only answer that ends the loop.
                if not (error.soft_logout and self._options.password):
                    self._report(False, f"matrix: {error}")  # noqa: FBT003
                    raise dead_token(self._options) from error
                await self._log_in_again(parts)

    async def start(self) -> None:
        """Log in, make the homeserver know our keys and sign our device, unless that is done.

        Raises ConfigurationError, HomeserverError or Unreachable.
        """
        async with self._starting:
            if self._parts is not None:
                return
            private.prepare_folder(self._options.store)
            while not self._claim.take():
                self._report(False, "matrix: another process uses the key store; waiting for its end")  # noqa: FBT003
                await asyncio.sleep(1)
            session = await open_session(self._home, self._options)
            try:
                self._parts = await self._assemble(session)
            except KeyStoreLost as error:
                self._parts = await self._assemble(await self._replacement(str(error)))

    async def close(self) -> None:
        """Close connections and the key store."""
        await self._home.close()
        if self._parts is not None:
            self._parts.machine.store.database.close()
            self._parts = None
        self._claim.release()

    async def _start_patiently(self) -> _Parts:
        backoff = Backoff()
        while self._parts is None:
            try:
                await self.start()
            except Unreachable as error:
                self._report(False, f"matrix: {error}")  # noqa: FBT003
                await backoff.wait()
            except HomeserverError as error:
                self._report(False, f"matrix: {error}")  # noqa: FBT003
                await backoff.wait(error.retry_after)
        return self._parts

    async def _assemble(self, session: Session) -> _Parts:
        """Open the key store and bring the homeserver's idea of us in line with it; sign before anything is said."""
        options = self._options
        machine = open_machine(session, options.store, options.store_key)
        keys = Keys(self._home, machine, Trust(self._memory, options.trust, options.identity_reset))
        try:
            await keys.upload_first()
            await crosssigning.ensure(self._home, self._identity(), session.user_id, session.device_id)
        except BaseException:
            machine.store.database.close()
            raise
        keys.own_changed = self._note_own_change
        rooms = Rooms(self._home, session.user_id)
        direct = DirectRooms(self._home, rooms, self._memory, session.user_id)
        log.info("matrix.ready", device=session.device_id, fingerprint=self.fingerprint())
        return _Parts(session, machine, keys, rooms, direct, Sending(self._home, machine, keys, rooms))

    def _sync(self, parts: _Parts) -> Sync:
        parking = Parking(self._home, self._memory, self._options.patience)
        timeline = Timeline(
            self._options,
            self._home,
            parts.machine,
            parts.keys,
            parts.rooms,
            parking,
            self._memory,
            self._clock,
            self._say_notice,
        )
        return Sync(
            self._options,
            self._home,
            parts.machine,
            parts.keys,
            parts.rooms,
            parts.direct,
            parking,
            timeline,
            self._memory,
            self._clock,
            self._report,
        )

    # --- a lost key store, a lost token

    async def _replacement(self, reason: str) -> Session:
        """Make a new device in place of one whose key store is lost: it looks alive and is deaf."""
        words = f"matrix: the key store of this device is lost or was restored from an old copy ({reason})"
        log.error("matrix.key_store_lost", reason=reason)
        self._report(False, words)  # noqa: FBT003
        if not self._options.password:
            message = f"{words}; expected matrix.password, to make a new device, or the right key store"
            raise ConfigurationError(message)
        await log_out(self._home)
        return await log_in(self._home, self._options)

    async def _renew(self, reason: str) -> None:
        async with self._starting:
            if self._parts is not None:
                self._parts.machine.store.database.close()
                self._parts = None
            self._parts = await self._assemble(await self._replacement(reason))

    async def _log_in_again(self, parts: _Parts) -> None:
        """Get a new token for the same device (spec: soft logout)."""
        async with self._starting:
            parts.session = await log_in(self._home, self._options, parts.session.device_id)

    # --- our identity

    def _identity(self) -> IdentityFile:
        return IdentityFile(self._options.store, self._options.user_id, self._options.store_key)

    def _note_own_change(self) -> None:
        self._identity_changed = True

    async def _check_identity(self) -> None:
        """Look at our own keys when the homeserver says that they changed; somebody may have reset our identity."""
        if not self._identity_changed or self._parts is None:
            return
        session = self._parts.session
        try:
            await crosssigning.ensure(self._home, self._identity(), session.user_id, session.device_id)
            self._identity_changed = False
        except (HomeserverError, Unreachable) as error:
            log.warning("matrix.identity_not_checked", error=str(error))

    def fingerprint(self) -> str | None:
        """Return the public master key in groups of four, as people compare it; None before the first start."""
        identity = self._identity().current()
        if identity is None:
            return None
        public = identity.master.public
        return " ".join(public[at : at + 4] for at in range(0, len(public), 4))

    async def reset_identity(self, password: str) -> list[str]:
        """Give the account a new identity; also while another process runs the bot. Everybody must verify it anew.

        Raises ConfigurationError when the homeserver refuses, HomeserverError and Unreachable.
        """
        private.prepare_folder(self._options.store)
        session = await open_session(self._home, self._options)
        done = await crosssigning.reset(
            self._home, self._identity(), session.user_id, session.device_id, password or self._options.password
        )
        await drop_pin(self._memory, session.user_id)
        return done

    async def trust(self, user_id: str) -> None:
        """Accept the identity that a user shows from now on, after they reset it."""
        await drop_pin(self._memory, user_id)

    # --- speaking

    async def send(self, to: Address, card: Card, *, key: str, again: bool) -> str:
        """Say a card and return its event id. Raises a SendError."""
        parts = self._connected()
        room_id, thread = await self._place(parts, to)
        txn = transaction(key)
        content = drawing.message(card, txn)
        if thread is not None:
            # Clients without threads show this as a reply (spec: m.thread, fallback for unthreaded clients).
            content["m.relates_to"] = {
                "rel_type": "m.thread",
                "event_id": thread,
                "is_falling_back": True,
                "m.in_reply_to": {"event_id": thread},
            }
        return await self._reported(parts.sending.say(room_id, content, txn, again=again))

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None:
        """Rewrite what was said (spec: m.replace). Raises a SendError."""
        parts = self._connected()
        room_id, _ = await self._place(parts, to)
        txn = transaction(f"edit {key}")
        new = drawing.message(card, txn)
        content: Json = {
            **new,
            "m.new_content": new,
            "m.mentions": {},  # who was called once is not called again
            "m.relates_to": {"rel_type": "m.replace", "event_id": message_id},
        }
        await self._reported(parts.sending.say(room_id, drawing.fitting_edit(content), txn))

    async def delete(self, to: Address, message_id: str, *, key: str) -> None:
        """Take back what was said. Raises a SendError."""
        parts = self._connected()
        room_id, _ = await self._place(parts, to)
        await self._reported(parts.sending.redact(room_id, message_id, transaction(f"delete {key}")))

    async def join(self, room: str) -> None:
        """Accept an invitation. Raises a SendError."""
        self._connected()
        async with mapped(sent=False):
            await join(self._home, room)

    async def encrypted(self, room: str) -> bool:
        """Tell whether what is said in a room is encrypted end to end. Raises a SendError."""
        parts = self._connected()
        async with mapped(sent=False):
            return parts.machine.is_encrypted(room) or (await parts.rooms.get(room)).encrypted

    async def power(self, room: str, user_id: str) -> float:
        """Return a user's power level in a room; that of its creators is above every number. Raises a SendError."""
        parts = self._connected()
        async with mapped(sent=False):
            return (await parts.rooms.get(room)).power(user_id)

    def _connected(self) -> _Parts:
        if self._parts is None:
            raise NotSent("matrix: not connected yet", outage=True)
        return self._parts

    async def _place(self, parts: _Parts, to: Address) -> tuple[str, str | None]:
        """Return the room and thread of an address; one person of a room is spoken to in their direct room."""
        if to.audience is None:
            return to.room, to.thread
        async with mapped(sent=False):
            room = parts.rooms.known(to.room)
            if room is not None and room.encrypted and room.others == {to.audience.id}:
                return to.room, to.thread
            return await parts.direct.room_with(to.audience.id), None

    async def _reported(self, said: "asyncio.Future[str] | object") -> str:
        raise NotImplementedError

    async def _say_notice(self, room_id: str, content: Json, txn: str, clear: bool) -> None:
        try:
            await self._connected().sending.say(room_id, content, txn, clear=clear)
        except SendError as error:
            log.warning("matrix.notice_not_said", room=room_id, error=str(error))
