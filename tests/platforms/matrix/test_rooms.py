"""The state of a room."""

from typing import Any

from bot.platforms.matrix.rooms import Room

BOT, CLAIRE = "@passerelle:a.fr", "@claire:a.fr"


def state(kind: str, content: Any, key: str = "", sender: str = CLAIRE) -> dict[str, Any]:
    return {"type": kind, "state_key": key, "sender": sender, "content": content, "event_id": "$1"}


def member(user: str, membership: str, **more: Any) -> dict[str, Any]:
    return state("m.room.member", {"membership": membership, **more}, user, user)


def made(*events: dict[str, Any]) -> Room:
    room = Room("!r", BOT)
    room.apply(events)
    return room


def test_the_creators_of_a_version_12_room_stand_above_all_and_are_in_no_power_level() -> None:
    levels = state("m.room.power_levels", {"users": {"@mod:a.fr": 100}, "users_default": 0})
    create = {"room_version": "12", "additional_creators": ["@second:a.fr", 3]}
    room = made(state("m.room.create", create), levels)
    assert room.power(CLAIRE) == room.power("@second:a.fr") == float("inf")
    assert (room.power("@mod:a.fr"), room.power("@paul:a.fr")) == (100, 0)
    assert made(state("m.room.create", {"room_version": "11"}), levels).power(CLAIRE) == 0


def test_levels_may_be_anything() -> None:
    for content in ({}, {"users": []}, {"users": {CLAIRE: "100"}}, {"users_default": "x"}):
        assert made(state("m.room.power_levels", content)).power(CLAIRE) == 0


def test_who_is_there() -> None:
    room = made(member(BOT, "join", displayname="Passerelle"), member(CLAIRE, "invite", displayname=["x"]))
    assert room.direct
    assert room.is_with(CLAIRE)
    assert room.own_name == "Passerelle"
    assert not room.apply([member(CLAIRE, "join")])
    assert room.apply([member("@paul:a.fr", "join")])
    assert not room.direct
    assert room.apply([member(CLAIRE, "leave"), member("@paul:a.fr", "ban")])
    assert not room.others
    assert room.direct, "we are the first in a direct room that we make: nobody is to be told what a room is for"


def test_a_room_with_a_name_was_made_for_more_than_two() -> None:
    room = made(member(BOT, "join"), member(CLAIRE, "join"), state("m.room.name", {"name": "Consulat"}))
    assert not room.direct
    assert room.is_with(CLAIRE)
    room.apply([state("m.room.name", {"name": ""})])
    assert room.direct


def test_encryption_is_never_taken_back() -> None:
    room = made(state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}), state("m.room.encryption", {}))
    assert room.encrypted


def test_odd_state_is_passed_over() -> None:
    assert not made({"type": "m.room.member"}, {"type": "m.room.member", "state_key": 3, "content": {}}, {}).members
    assert made(state("m.room.create", {"predecessor": "x", "room_version": 12, "additional_creators": 3})).power(
        CLAIRE
    )
