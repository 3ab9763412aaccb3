"""What a sync answers, and pages of history: windows over the stream, cut as a real homeserver cuts them."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.servers.matrix_stub.model import Device, Event, Homeserver, Json, Room, User

_INVITE_STATE = {"m.room.create", "m.room.join_rules", "m.room.name", "m.room.encryption", "m.room.member"}
DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Filter:
    """The part of a client's filter that changes what it gets."""

    limit: int = DEFAULT_LIMIT
    wanted: Callable[[Event], bool] = lambda _: True


def read_filter(given: Json, *, most: int) -> Filter:
    """The filter of the timeline; the limit is bounded as a real server bounds it."""
    timeline: Json = given.get("room", {}).get("timeline", given if "types" in given or "limit" in given else {})
    types, not_types = _patterns(timeline.get("types")), _patterns(timeline.get("not_types"))
    senders, not_senders = timeline.get("senders"), timeline.get("not_senders") or []

    def wanted(event: Event) -> bool:
        return (
            (types is None or types.fullmatch(event.type) is not None)
            and (not_types is None or not_types.fullmatch(event.type) is None)
            and (senders is None or event.sender in senders)
            and event.sender not in not_senders
        )

    free = types is None and not_types is None and senders is None and not not_senders
    limit = max(1, min(int(timeline.get("limit", DEFAULT_LIMIT)), most))
    return Filter(limit) if free else Filter(limit, wanted)


def _patterns(types: list[str] | None) -> re.Pattern[str] | None:
    if types is None:
        return None
    return re.compile("|".join(re.escape(kind).replace(r"\*", ".*") for kind in types) or r"(?!)")


async def sync(server: Homeserver, device: Device, since: int | None, given: Filter, seconds: float) -> Json:
    """The next answer for a device: at once if there is news or it is the first, else when some comes."""
    user = server.users[device.user]
    while device.inbox and since is not None and device.inbox[0][0] <= since:
        device.inbox.popleft()
    bell = asyncio.Event()
    user.bells.add(bell)
    try:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            bell.clear()
            answer, has_news = _answer(server, user, device, since, given)
            left = deadline - asyncio.get_running_loop().time()
            if has_news or since is None or left <= 0:
                return answer
            try:
                await asyncio.wait_for(bell.wait(), left)
            except TimeoutError:
                return {**answer, "next_batch": f"s{server.head}"}
    finally:
        user.bells.discard(bell)


def _answer(server: Homeserver, user: User, device: Device, since: int | None, given: Filter) -> tuple[Json, bool]:
    after = since or 0
    rooms: dict[str, Json] = {"join": {}, "invite": {}, "leave": {}}
    for room in user.rooms.values():
        if room.events[-1].pos <= after:
            continue
        mine = room.state["m.room.member", user.id]
        match mine.content["membership"]:
            case "join":
                rooms["join"][room.id] = _joined(room, user.id, since, given)
            case "invite" if mine.pos > after:
                rooms["invite"][room.id] = {"invite_state": {"events": _stripped(room, user.id)}}
            case "leave" | "ban" if mine.pos > after and since is not None:
                rooms["leave"][room.id] = _window(room, after, given, until=mine.pos)
            case _:
                pass
    inbox = [message for _, message in device.inbox]
    changed = _changed_keys(server, user, after) if since is not None else []
    answer: Json = {
        "next_batch": f"s{server.head}",
        "rooms": {kind: found for kind, found in rooms.items() if found},
        "to_device": {"events": inbox},
        "device_lists": {"changed": changed, "left": []},
        "device_one_time_keys_count": {"signed_curve25519": len(device.one_time_keys)},
        "device_unused_fallback_key_types": [],
        "presence": {"events": []},
        "account_data": {"events": []},
    }
    return answer, bool(inbox or changed or any(rooms.values()))


def _joined(room: Room, user: str, since: int | None, given: Filter) -> Json:
    fresh = since is None or room.joined_between(user, since)
    window = _window(room, 0 if fresh else since or 0, given, full_state=fresh)
    counts = {f"m.{kind}_member_count": len(room.members(name)) for kind, name in _COUNTED if fresh}
    return {
        **window,
        "summary": counts,
        "ephemeral": {"events": []},
        "account_data": {"events": []},
        "unread_notifications": {"highlight_count": 0, "notification_count": 0},
    }


_COUNTED = (("joined", "join"), ("invited", "invite"))


def _window(room: Room, after: int, given: Filter, *, until: int | None = None, full_state: bool = False) -> Json:
    """The newest events after a position, and the state that changed in what had to be left out."""
    start = bisect_right(room.events, after, key=_pos)
    end = len(room.events) if until is None else bisect_right(room.events, until, key=_pos)
    found: list[Event] = []
    limited = False
    for event in map(room.events.__getitem__, range(end - 1, start - 1, -1)):
        if given.wanted(event):
            if len(found) == given.limit:
                limited = True
                break
            found.append(event)
    found.reverse()
    first = found[0].pos if found else room.events[end - 1].pos + 1
    state = [e for e in room.state.values() if e.pos < first and (full_state or e.pos > after)]
    return {
        "timeline": {
            "events": [event.as_json() for event in found],
            "limited": limited,
            "prev_batch": f"s{first - 1}",
        },
        "state": {"events": [event.as_json() for event in state]},
    }


def messages(room: Room, start: int | None, stop: int | None, limit: int, *, back: bool, given: Filter) -> Json:
    """One page of history from a position, towards the past or the present."""
    newest = len(room.events)
    here = newest if start is None else bisect_right(room.events, start, key=_pos)
    there = (0 if back else newest) if stop is None else bisect_right(room.events, stop, key=_pos)
    places = range(here - 1, there - 1, -1) if back else range(here, there)
    page = [room.events[place] for place in places[:limit]]
    answer: Json = {
        "chunk": [event.as_json() for event in page if given.wanted(event)],
        "start": f"s{room.events[-1].pos if start is None else start}",
        "state": [],
    }
    if len(places) > limit:  # No `end` tells the client that there is nothing further.
        answer["end"] = f"s{page[-1].pos - 1 if back else page[-1].pos}"
    return answer


def _pos(event: Event) -> int:
    return event.pos


def _stripped(room: Room, user: str) -> list[Json]:
    wanted: list[Json] = []
    for (kind, key), event in room.state.items():
        if kind in _INVITE_STATE and (kind != "m.room.member" or key in {user, room.state[kind, user].sender}):
            wanted.append({"type": kind, "state_key": key, "sender": event.sender, "content": event.content})
    return wanted


def _changed_keys(server: Homeserver, user: User, after: int) -> list[str]:
    """Users whose keys changed, or who came into a room of ours, since then."""
    mine = [room for room in user.rooms.values() if user.id in room.joined]
    changed = {who for _, who in server.key_changes[_later(server.key_changes, after) :] if _shares(mine, who, user)}
    for room in mine:
        if room.events[-1].pos > after and ("m.room.encryption", "") in room.state:
            came = room.joined_between(user.id, after)
            changed |= {who for who in room.joined if came or room.joined_between(who, after)}
    return sorted(changed)


def _later(changes: list[tuple[int, str]], after: int) -> int:
    return bisect_right(changes, after, key=lambda change: change[0])


def _shares(mine: list[Room], who: str, user: User) -> bool:
    return who == user.id or any(who in room.joined for room in mine)


def state_of(room: Room) -> list[dict[str, Any]]:
    """The current state, as the state endpoint gives it."""
    return [event.as_json() for event in room.state.values()]
