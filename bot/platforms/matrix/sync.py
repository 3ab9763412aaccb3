"""The loop that listens (spec: «Syncing»): a batch is handled to its end, then the token that follows it is kept.

After a crash the same batch comes again and receipts make that harmless. Nothing in a batch can end the loop; what it
needs from the homeserver is waited for.
"""

import functools
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import cast

import structlog

from bot.errors import Unavailable
from bot.message import Inbound, RoomChange
from bot.platforms import Receive, Report
from bot.platforms.matrix.connected import Connected
from bot.platforms.matrix.inbound import Place
from bot.platforms.matrix.parking import Parking
from bot.platforms.matrix.patience import LONGEST_FOR_DATABASE, Backoff, insist, together
from bot.platforms.matrix.rooms import Room
from bot.platforms.matrix.signing import at, canonical, unpadded
from bot.platforms.matrix.timeline import Deliver, Timeline, own_entry
from bot.platforms.matrix.wire import HomeserverError, Json, TokenIsDead, Unreachable

log = structlog.get_logger(__name__)

MOST_MISSED = 20_000  # events of a room that are read again after a gap
ROOMS_AT_ONCE = 32  # order matters within a room only
TIMELINE = PAGE = 100  # events at once; no homeserver gives more
_NOTHING = {"not_types": ["*"]}


class Sync:
    """Listens until it is cancelled."""

    def __init__(self, connected: Connected, parking: Parking, timeline: Timeline, report: Report) -> None:
        self._options = connected.options
        self._home = connected.home
        self._machine = connected.machine
        self._keys = connected.keys
        self._rooms = connected.rooms
        self._direct = connected.direct
        self._memory = connected.memory
        self._clock = connected.clock
        self._own_id = connected.own_id
        self._parking = parking
        self._timeline = timeline
        self._report = report

    async def run(self, receive: Receive, between: Callable[[], Awaitable[None]]) -> None:
        """Listen. `between` runs after each batch and may raise to end the loop.

        Raises TokenIsDead.
        """
        await self._parking.load()
        since = await self._memory.get("sync")
        backoff = Backoff()
        first = True
        while True:
            try:
                answer = await self._ask(since, at_once=first)
                await self._keep_keys(answer, replayed=first and since is not None)
            except Unreachable as error:
                self._report(ok=False, reason=f"matrix: {error}")
                await backoff.wait()
                continue
            except HomeserverError as error:
                if error.token_is_dead:
                    raise TokenIsDead(error) from error
                self._report(ok=False, reason=f"matrix: {error}")
                await backoff.wait(error.retry_after)
                continue
            backoff.reset()
            self._report(ok=True)
            since = await self._batch(answer, since, _delivery(receive))
            await between()
            first = False

    async def _ask(self, since: str | None, *, at_once: bool) -> Json:
        due = self._parking.next_notice(self._clock())
        poll = 0.0 if at_once else min(self._options.poll, self._options.poll if due is None else due + 0.05)
        query = {"filter": json.dumps(_filter(since)), "timeout": str(round(poll * 1000)), "set_presence": "offline"}
        answer = await self._home.sync(query | ({"since": since} if since else {}), poll=poll)
        if not isinstance(answer.get("next_batch"), str):
            raise HomeserverError(502, {"errcode": "M_NOT_JSON", "error": "a sync without next_batch"})
        return answer

    async def _keep_keys(self, answer: Json, *, replayed: bool) -> None:
        """Take the keys of a batch in. Room keys lie on disk after that, before the homeserver may drop them."""
        events = at(answer, "to_device", "events")
        self._machine.take_to_device(events if isinstance(events, list) else [])
        if replayed:
            # What was decrypted before the stop cannot be decrypted twice; that is no broken Olm session.
            self._machine.wedged_devices.clear()
        self._keys.take_news(answer)
        try:
            await self._keys.settle()
        except (HomeserverError, Unreachable) as error:
            if isinstance(error, HomeserverError) and error.token_is_dead:
                raise
            log.warning("matrix.keys_not_settled", error=str(error))  # the next batch tries again

    async def _batch(self, answer: Json, since: str | None, deliver: Deliver) -> str:
        """Handle a batch and keep the token after it; return that token."""
        kept: dict[str, str | None] = {}
        await self._timeline.unpark(deliver)
        for room_id, part in _rooms(answer, "invite"):
            await self._invited(room_id, part, since, deliver)
        joined = _rooms(answer, "join")
        works = [functools.partial(self._joined, *each, since, deliver) for each in joined]
        for known in await together(works, ROOMS_AT_ONCE):
            kept.update(known)
        for room_id, part in _rooms(answer, "leave"):
            kept.update(await self._left(room_id, part, since, deliver))
        token = cast("str", answer["next_batch"])
        kept.update({**self._parking.value(), "sync": token})
        await self._memory.set(kept)
        return token

    # --- invitations

    async def _invited(self, room_id: str, part: Json, since: str | None, deliver: Deliver) -> None:
        events = _events(part, "invite_state")
        room = Room(room_id, self._own_id)
        room.apply(events)
        for event in events:
            sender, content = event.get("sender"), event.get("content")
            if event.get("state_key") != self._own_id or at(content, "membership") != "invite":
                continue
            if not isinstance(sender, str):
                continue
            if at(content, "is_direct") is True:
                await self._memory.set({f"invited:{room_id}": sender})
            place = Place(room, self._options.servers, room.encrypted)
            change = RoomChange(
                id=_invitation_id(room_id, event, since),
                at=self._clock(),
                author=place.user(sender),
                to=place.address(),
                encrypted=room.encrypted,
                change="invited",
            )
            await deliver(change)

    # --- rooms we are in

    async def _joined(self, room_id: str, part: Json, since: str | None, deliver: Deliver) -> dict[str, str | None]:
        events = await self._complete(room_id, part, since)
        try:
            room = await insist(lambda: self._rooms.get(room_id))
        except HomeserverError as error:
            log.warning("matrix.room_without_state", room=room_id, error=str(error))
            return {}
        # Who is there and whether it is encrypted holds for what we say from now on, so it goes first and at once.
        if room.apply([*_events(part, "state"), *events]):
            self._keys.forget_session(room_id)
        if since is None:
            if room.encrypted:
                self._machine.remember_encrypted(room_id)
        else:
            await self._remember_direct(room, events)
            await self._timeline.take(room, events, deliver)
            alone = self._timeline.emptied(room, events)
            if alone is not None:
                await deliver(alone)
        return {_last(room_id): events[-1]["event_id"]} if events else {}

    async def _complete(self, room_id: str, part: Json, since: str | None) -> list[Json]:
        """Return the room's new events, those that the homeserver cut off too, and none from before our entry."""
        events = _events(part, "timeline")
        entry = own_entry(events, self._own_id)
        if entry is not None:
            return events[entry:]
        last = await self._memory.get(_last(room_id))
        ids = [event["event_id"] for event in events]
        if last in ids:
            return events[ids.index(last) + 1 :]
        before = at(part, "timeline", "prev_batch")
        if since is None or at(part, "timeline", "limited") is not True or not isinstance(before, str):
            return events
        return [*await self._missed(room_id, before, last, set(ids)), *events]

    async def _missed(self, room_id: str, token: str, last: str | None, have: set[str]) -> list[Json]:
        """Page back from a cut timeline to the last event that we know, or to our entry."""
        missed: list[Json] = []
        while len(missed) < MOST_MISSED:
            query = {"dir": "b", "limit": str(PAGE), "from": token}
            try:
                page = await insist(lambda q=query: self._home.get("rooms", room_id, "messages", query=q))
            except HomeserverError as error:
                log.warning("matrix.gap_not_read", room=room_id, error=str(error))
                break
            for event in _events({"page": {"events": page.get("chunk")}}, "page"):
                if event["event_id"] == last:
                    return missed[::-1]
                if event["event_id"] not in have:
                    have.add(event["event_id"])
                    missed.append(event)
                if own_entry([event], self._own_id) is not None:
                    return missed[::-1]
            end = page.get("end")
            if not isinstance(end, str) or end == token:
                break
            token = end
        return missed[::-1]

    async def _remember_direct(self, room: Room, events: list[Json]) -> None:
        """Speak to a person where they opened a direct room themselves."""
        if own_entry(events, self._own_id) is None:
            return
        name = f"invited:{room.id}"
        user = await self._memory.get(name)
        if user is not None:
            if room.encrypted and room.is_with(user):
                await insist(lambda: self._direct.remember(user, room.id))
            await self._memory.set({name: None})

    # --- rooms we are no longer in

    async def _left(self, room_id: str, part: Json, since: str | None, deliver: Deliver) -> dict[str, str | None]:
        events = _events(part, "timeline")
        room = self._rooms.known(room_id) or Room(room_id, self._own_id)
        if since is not None and await self._memory.get(_last(room_id)) is not None:
            # What was said before we had to go was said to us.
            events = await self._complete(room_id, part, since)
            await self._timeline.take(room, events, deliver)
        change = self._timeline.removed(room, [*_events(part, "state"), *events])
        self._rooms.forget(room_id)
        self._keys.forget_session(room_id)
        if since is not None and change is not None:
            await deliver(change)
        return {_last(room_id): None}


def _filter(since: str | None) -> Json:
    """Return what we want to hear of.

    Synapse answers a first sync that it has answered before with the old answer, for two minutes; a filter like no
    other gets a new one.
    """
    one_of_a_kind = {"not_types": ["*", secrets.token_hex(8)]}
    return {
        "presence": _NOTHING,
        "account_data": _NOTHING if since else one_of_a_kind,
        "room": {
            "timeline": {"limit": TIMELINE},
            "state": {"lazy_load_members": False},  # who is there decides who gets keys
            "ephemeral": _NOTHING,
            "account_data": _NOTHING,
        },
    }


def _delivery(receive: Receive) -> Deliver:
    async def deliver(value: Inbound) -> None:
        """Hand an event over until it is committed: the token does not move before."""
        backoff = Backoff(LONGEST_FOR_DATABASE)
        while True:
            try:
                await receive(value)
            except Unavailable as error:
                log.warning("matrix.database_unavailable", error=str(error))
            except Exception:
                log.exception("matrix.event_not_taken")
            else:
                return
            await backoff.wait()

    return deliver


def _rooms(answer: Json, kind: str) -> list[tuple[str, Json]]:
    rooms = at(answer, "rooms", kind)
    if not isinstance(rooms, dict):
        return []
    return [(room_id, part) for room_id, part in rooms.items() if isinstance(part, dict)]


def _events(part: Json, name: str) -> list[Json]:
    """Return the events of a part that have what identifies them; stripped ones need not."""
    events = at(part, name, "events")
    stripped = name == "invite_state"
    return [
        event
        for event in (events if isinstance(events, list) else [])
        if isinstance(event, dict) and (stripped or isinstance(event.get("event_id"), str))
    ]


def _invitation_id(room_id: str, event: Json, since: str | None) -> str:
    """Return the id of an invitation: stripped events have none, and a second one may say the same.

    The token that it came after is the same at each delivery, and another one for a later invitation.
    """
    if isinstance(event.get("event_id"), str):
        return str(event["event_id"])
    told = canonical({**event, "since": since, "room_id": room_id})
    return f"invitation {unpadded(hashlib.sha256(told).digest())}"


def _last(room_id: str) -> str:
    return f"last:{room_id}"
