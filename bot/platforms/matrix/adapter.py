"""The platform itself: what the core asks for, put together from the rest of this package."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bot import fence
from bot.card import Card
from bot.clock import Clock, system_clock
from bot.errors import ConfigurationError, NotSent, SendError
from bot.files import Upload
from bot.message import Address
from bot.platforms import Live, Memory, Receive, Report
from bot.platforms.matrix import crosssigning, drawing, private, stores
from bot.platforms.matrix.connected import Connected
from bot.platforms.matrix.crosssigning import IdentityFile
from bot.platforms.matrix.direct import DirectRooms
from bot.platforms.matrix.keys import Keys, KeyStoreLost
from bot.platforms.matrix.machine import open_machine
from bot.platforms.matrix.media import Media
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.parking import Parking
from bot.platforms.matrix.patience import Backoff, PatientMemory
from bot.platforms.matrix.rooms import Rooms
from bot.platforms.matrix.sending import Sending, mapped, transaction
from bot.platforms.matrix.session import Session, dead_token, kept_in, log_in, log_out, open_session
from bot.platforms.matrix.sync import Sync
from bot.platforms.matrix.timeline import Timeline, join
from bot.platforms.matrix.trust import Trust, drop_pin
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Json, TokenIsDead, Unreachable

log = structlog.get_logger(__name__)

RESTORED = "restored"  # a file of the store: it was brought back from a backup


class MatrixPlatform:
    """Matrix, through one account of an ordinary homeserver. Fulfils `Platform`, `Edits` and `Joins`."""

    name = "matrix"

    def __init__(
        self, options: MatrixOptions, *, memory: Memory, report: Report, live: Live, clock: Clock = system_clock
    ) -> None:
        # `live` is not needed: a sync names every room in which something was missed, and the way back to it.
        self._options = options.checked()
        self._memory = PatientMemory(memory)
        self._told: tuple[bool, str] | None = None
        self._reporter = report
        self._clock = clock
        self._home = Homeserver(options.homeserver, pace=options.pace)
        self._epoch = 0
        self._hold: fence.Hold = _Always()
        self._starting = asyncio.Lock()
        self._identity_changed = False
        self._restored = options.store / RESTORED
        self._lost = ""  # why the key store of our device is of no use any more
        self._connected: Connected | None = None

    def _report(self, ok: bool, reason: str = "") -> None:
        """Tell the operator what changed, once; that all is well again and again."""
        if ok or (ok, reason) != self._told:
            self._told = (ok, reason)
            self._reporter(ok, reason)

    # --- life

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled.

        Raises ConfigurationError when an operator must act.
        """
        with fence.under(self._hold):
            while True:
                connected = await self._start_patiently()
                try:
                    await self._sync(connected).run(receive, self._check_identity)
                except KeyStoreLost as error:
                    self._lost = str(error)
                except TokenIsDead as error:
                    if not (error.soft_logout and self._options.password):
                        self._report(ok=False, reason=f"matrix: {error}")
                        raise dead_token(self._options) from error
                finally:
                    self._disconnect()

    def last_epoch(self) -> int:
        """Return the newest term whose keys lie in the store."""
        return stores.last_epoch(self._options.store)

    def begin(self, epoch: int, hold: fence.Hold) -> None:
        """Be the one process that speaks for the account, from the next `run` on: see `Alone`."""
        self._epoch, self._hold, self._told = epoch, hold, None
        self._memory.forget()

    async def start(self) -> None:
        """Log in, make the homeserver know our keys and sign our device, unless that is done.

        Raises ConfigurationError, HomeserverError or Unreachable.
        """
        async with self._starting:
            if self._connected is not None:
                return
            private.prepare_folder(self._options.store)
            await self._put_old_device_away()
            while self._connected is None:
                session = await (self._replacement() if self._lost else open_session(self._home, self._options))
                self._lost = ""
                try:
                    self._connected = await self._assemble(session)
                except KeyStoreLost as error:
                    self._lost = str(error)

    async def close(self) -> None:
        """Close connections and the key store."""
        await self._home.close()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connected is not None:
            self._connected.machine.store.database.close()
            self._connected = None

    async def _start_patiently(self) -> Connected:
        backoff = Backoff()
        while self._connected is None:
            try:
                await self.start()
            except Unreachable as error:
                self._report(ok=False, reason=f"matrix: {error}")
                await backoff.wait()
            except HomeserverError as error:
                self._report(ok=False, reason=f"matrix: {error}")
                await backoff.wait(error.retry_after)
        return self._connected

    async def _assemble(self, session: Session) -> Connected:
        """Open the key store and bring the homeserver's idea of us in line with it; sign before anything is said."""
        options = self._options
        machine = open_machine(session, options.store, options.store_key, self._epoch)
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
        sending = Sending(self._home, machine, keys, rooms)
        media = Media(self._home)
        return Connected(
            options, self._home, self._memory, self._clock, session, machine, keys, rooms, direct, sending, media
        )

    def _sync(self, connected: Connected) -> Sync:
        parking = Parking(self._home, self._memory, self._options.patience)
        return Sync(connected, parking, Timeline(connected, parking, self._say_notice), self._report)

    async def _put_old_device_away(self) -> None:
        """See that a key store from a backup is not used: what it says next would be what it said then."""
        if not self._restored.exists():
            return
        kept = private.read(kept_in(self._options.store), self._options.store_key)
        if kept is None or self._options.access_token not in {"", kept["access_token"]}:
            self._restored.unlink()  # the operator gives another device
            return
        try:
            await open_session(self._home, self._options)
        except ConfigurationError as error:
            log.info("matrix.old_device_is_gone", reason=str(error))
        self._lost = "it comes from a backup"

    async def _replacement(self) -> Session:
        """Make a new device in place of one whose key store is lost: it looks alive and is deaf."""
        words = f"matrix: the key store of this device is lost or was restored from an old copy ({self._lost})"
        log.error("matrix.key_store_lost", reason=self._lost)
        self._report(ok=False, reason=words)
        if not self._options.password:
            message = f"{words}; expected matrix.password, or access_token and device_id of a new device"
            raise ConfigurationError(message)
        await log_out(self._home)
        session = await log_in(self._home, self._options)
        self._restored.unlink(missing_ok=True)
        return session

    # --- our identity

    def _identity(self) -> IdentityFile:
        return IdentityFile(self._options.store, self._options.user_id, self._options.store_key)

    def _note_own_change(self) -> None:
        self._identity_changed = True

    async def _check_identity(self) -> None:
        """Look at our own keys when the homeserver says that they changed; somebody may have reset our identity."""
        if not self._identity_changed or self._connected is None:
            return
        session = self._connected.session
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
        txn = transaction(key)
        content = drawing.message(card, txn)
        async with self._speaking() as connected:
            room_id, thread = await self._place(connected, to)
            return await connected.sending.say(room_id, _threaded(content, thread), txn, again=again)

    async def send_file(self, to: Address, file: Upload, *, key: str, again: bool) -> str:
        """Say a file and return its event id. Raises a SendError."""
        txn = transaction(key)
        async with self._speaking() as connected:
            room_id, thread = await self._place(connected, to)
            earlier = await connected.sending.earlier(room_id, txn) if again else None
            if earlier is not None:
                return earlier
            content = await connected.media.uploaded(file, txn, encrypted=await self._is_encrypted(connected, room_id))
            return await connected.sending.say(room_id, _threaded(content, thread), txn)

    async def fetch(self, source: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file that came with a message, decrypted. Raises a SendError."""
        async with self._speaking() as connected:
            async for piece in connected.media.fetched(source):
                yield piece

    async def delete_file(self, to: Address, message_id: str, *, key: str) -> None:
        """Take a file's message back; its bytes stay where no message leads to them, and under a key nobody has."""
        await self.delete(to, message_id, key=key)

    async def direct_room(self, to: Address) -> str:
        """Return the room in which the audience of an address is spoken to. Raises a SendError."""
        async with self._speaking() as connected:
            return (await self._place(connected, to))[0]

    async def edit(self, to: Address, message_id: str, card: Card, *, key: str) -> None:
        """Rewrite what was said (spec: m.replace). Raises a SendError."""
        txn = transaction(f"edit {key}")
        content = drawing.edit(card, txn, message_id)
        async with self._speaking() as connected:
            room_id, _ = await self._place(connected, to)
            await connected.sending.say(room_id, content, txn)

    async def delete(self, to: Address, message_id: str, *, key: str) -> None:
        """Take back what was said. Raises a SendError."""
        async with self._speaking() as connected:
            room_id, _ = await self._place(connected, to)
            await connected.sending.redact(room_id, message_id, transaction(f"delete {key}"))

    async def join(self, room: str) -> None:
        """Accept an invitation. Raises a SendError."""
        async with self._speaking() as connected, mapped(sent=False):
            await join(self._home, room)
            connected.rooms.forget(room)

    async def encrypted(self, room: str) -> bool:
        """Tell whether what is said in a room is encrypted end to end. Raises a SendError."""
        async with self._speaking() as connected:
            return await self._is_encrypted(connected, room)

    async def _is_encrypted(self, connected: Connected, room: str) -> bool:
        async with mapped(sent=False):
            return connected.machine.is_encrypted(room) or (await connected.rooms.get(room)).encrypted

    async def power(self, room: str, user_id: str) -> float:
        """Return a user's power level in a room; that of its creators is above every number. Raises a SendError."""
        async with self._speaking() as connected, mapped(sent=False):
            return (await connected.rooms.get(room)).power(user_id)

    async def _place(self, connected: Connected, to: Address) -> tuple[str, str | None]:
        """Return the room and thread of an address; one person of a room is spoken to in their direct room."""
        if to.audience is None:
            return to.room, to.thread
        async with mapped(sent=False):
            if to.surface == "direct" and (await connected.rooms.get(to.room)).is_with(to.audience.id):
                return to.room, to.thread
            return await connected.direct.room_with(to.audience.id), None

    @asynccontextmanager
    async def _speaking(self) -> AsyncGenerator[Connected]:
        """Tell the operator when speaking finds the homeserver out of reach, before the next sync does."""
        if self._connected is None:
            raise NotSent("matrix: not connected yet", outage=True)
        try:
            with fence.under(self._hold):
                yield self._connected
        except NotSent as error:
            if error.outage:
                self._report(ok=False, reason=f"matrix: {error}")
            raise

    async def _say_notice(self, room_id: str, content: Json, txn: str, *, clear: bool) -> None:
        try:
            async with self._speaking() as connected:
                await connected.sending.say(room_id, content, txn, clear=clear)
        except SendError as error:
            log.warning("matrix.notice_not_said", room=room_id, error=str(error))


class _Always:
    """The hold of who is alone anyway: a command, a test."""

    until = float("inf")


def _threaded(content: Json, thread: str | None) -> Json:
    """Put a message into a thread; clients without threads show a reply (spec: fallback for unthreaded clients)."""
    if thread is None:
        return content
    relation = {
        "rel_type": "m.thread",
        "event_id": thread,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": thread},
    }
    return {**content, "m.relates_to": relation}
