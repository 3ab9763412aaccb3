"""Events of the Events API as inbound values: the contract with the core."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.message import Address, Attachment, Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange, User
from bot.platforms.slack.inbound import Around, channel_of, from_event
from bot.platforms.slack.options import Identity
from bot.platforms.slack.people import unknown_author

ME = Identity("T1", "U0BOT", "B0BOT", "passerelle")
NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)
TS = "1773502200.000100"
AT = datetime.fromtimestamp(float(TS), UTC)
ANNE = User("slack", "U1", insider=True)


def heard(event: dict[str, Any], *, shared: bool = False, event_id: str = "Ev1", **teams: str) -> Inbound | None:
    body = {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event_id,
        "event": event,
        "is_ext_shared_channel": shared,
    }
    return from_event(body, Around(ME, NOW, teams))


def message(**more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C1",
        "user": "U1",
        "team": "T1",
        "ts": TS,
        "text": "bonjour",
        "channel_type": "channel",
        **more,
    }


def test_a_message_in_a_channel() -> None:
    assert heard(message()) == Message(
        id=f"T1:C1:{TS}", at=AT, author=ANNE, to=Address("slack", "C1"), message_id=TS, text="bonjour"
    )


def test_a_reply_in_a_thread() -> None:
    found = heard(message(thread_ts="1773502100.000100"))
    assert isinstance(found, Message)
    assert found.to == Address("slack", "C1", "1773502100.000100")
    assert found.reply_to == "1773502100.000100"


def test_the_root_of_a_thread_is_no_reply() -> None:
    found = heard(message(thread_ts=TS))
    assert isinstance(found, Message)
    assert (found.to.thread, found.reply_to) == (None, None)


def test_a_direct_message() -> None:
    found = heard(message(channel="D1", channel_type="im"))
    assert isinstance(found, Message)
    assert found.to == Address("slack", "D1", surface="direct")


def test_a_mention_gives_the_same_value_twice() -> None:
    text = "<@U0BOT> *bonjour*"
    first = heard(message(text=text), event_id="Ev1")
    mention = message(text=text, type="app_mention")
    del mention["channel_type"]
    assert first == heard(mention, event_id="Ev2")
    assert isinstance(first, Message)
    assert first.mentions_bot
    assert first.text == "**bonjour**"


def test_files_come_along() -> None:
    file = {"id": "F1", "name": "acte.pdf", "size": 12, "mimetype": "application/pdf", "url_private": "https://f/1"}
    found = heard(message(subtype="file_share", text="", files=[file, {"id": "F2", "mode": "tombstone"}]))
    assert isinstance(found, Message)
    assert found.files == (Attachment(id="F1", name="acte.pdf", size=12, media_type="application/pdf", source="F1"),)


@pytest.mark.parametrize(
    "event",
    [
        message(user="U0BOT"),
        message(user="U0BOT", bot_id="B0BOT"),
        message(bot_id="B9"),
        message(subtype="bot_message", bot_id="B9"),
        message(user="USLACKBOT"),
        message(subtype="channel_join"),
        message(subtype="tombstone"),
        {
            "type": "message",
            "subtype": "message_changed",
            "channel": "C1",
            "message": message(bot_id="B0BOT"),
            "ts": TS,
        },
        {"type": "message", "subtype": "message_deleted", "channel": "C1", "previous_message": message(bot_id="B0BOT")},
        {"type": "message", "subtype": "message_replied", "channel": "C1", "message": message()},
        {
            "type": "reaction_added",
            "user": "U0BOT",
            "reaction": "one",
            "item": {"type": "message", "channel": "C1", "ts": TS},
        },
        {"type": "reaction_added", "user": "U1", "reaction": "one", "item": {"type": "file", "file": "F1"}},
        {
            "type": "reaction_removed",
            "user": "U1",
            "reaction": "one",
            "item": {"type": "message", "channel": "C1", "ts": TS},
        },
        {"type": "app_home_opened", "user": "U1", "tab": "messages", "channel": "D1"},
        {"type": "member_joined_channel", "user": "U1", "channel": "C1"},
        {"type": "member_left_channel", "user": "U1", "channel": "C1"},
        {"type": "tokens_revoked", "tokens": {}},
        {"type": "channel_archive"},
        {},
    ],
)
def test_what_is_none_of_the_cores_business(event: dict[str, Any]) -> None:
    assert heard(event) is None


def changed(message: dict[str, Any], previous: dict[str, Any]) -> Inbound | None:
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": message,
        "previous_message": previous,
    }
    return heard({**event, "ts": "1773502300.000100", "event_ts": "1773502300.000100"})


def test_an_edit() -> None:
    new = message(text="bonsoir", edited={"user": "U1", "ts": "1773502300.000000"}, thread_ts="1773502100.000100")
    assert changed(new, message()) == Edit(
        id="Ev1",
        at=datetime.fromtimestamp(1773502300.0001, UTC),
        author=ANNE,
        to=Address("slack", "C1", "1773502100.000100"),
        message_id=TS,
        text="bonsoir",
    )


def test_a_link_preview_is_no_edit() -> None:
    assert changed(message(attachments=[{"from_url": "https://x.fr"}]), message()) is None


def test_a_link_preview_of_an_edited_message_is_no_edit() -> None:
    edited = {"user": "U1", "ts": "1773502300.000000"}
    assert changed(message(edited=edited, attachments=[{}]), message(edited=edited)) is None


def test_a_deletion() -> None:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C1",
        "deleted_ts": TS,
        "previous_message": message(),
    }
    assert heard({**event, "event_ts": TS}) == Deletion(
        id="Ev1", at=AT, author=ANNE, to=Address("slack", "C1"), message_id=TS
    )


def test_a_deleted_root_that_has_replies_is_a_deletion() -> None:
    found = changed({"subtype": "tombstone", "ts": TS, "user": "USLACKBOT"}, message(reply_count=1))
    assert isinstance(found, Deletion)
    assert (found.message_id, found.author) == (TS, ANNE)


@pytest.mark.parametrize(
    ("name", "emoji"),
    [("one", "1️⃣"), ("nine", "9️⃣"), ("incoming_envelope", "📨"), ("marianne", ":marianne:"), ("+1::skin-tone-2", "👍")],
)
def test_a_reaction(name: str, emoji: str) -> None:
    event = {
        "type": "reaction_added",
        "user": "U1",
        "reaction": name,
        "item": {"type": "message", "channel": "C1", "ts": TS},
        "event_ts": TS,
    }
    assert heard(event) == Reaction(id="Ev1", at=AT, author=ANNE, to=Address("slack", "C1"), message_id=TS, emoji=emoji)


def test_an_opened_app_home() -> None:
    found = heard({"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1", "event_ts": TS})
    assert found == Invocation(
        id="Ev1", at=AT, author=ANNE, to=Address("slack", "U1", surface="home"), command="accueil"
    )


@pytest.mark.parametrize(
    ("event", "change", "author"),
    [
        ({"type": "member_joined_channel", "user": "U0BOT", "inviter": "U1", "team": "T1"}, "joined", "U1"),
        ({"type": "member_joined_channel", "user": "U0BOT", "team": "T1"}, "joined", "U0BOT"),
        ({"type": "member_left_channel", "user": "U0BOT"}, "removed", "U0BOT"),
        ({"type": "channel_left", "actor_id": "U1"}, "removed", "U1"),
        ({"type": "group_left"}, "removed", "U0BOT"),
        ({"type": "channel_deleted"}, "removed", "U0BOT"),
        ({"type": "channel_archive", "user": "U1"}, "archived", "U1"),
        ({"type": "group_archive", "user": "U1"}, "archived", "U1"),
    ],
)
def test_a_change_of_a_room(event: dict[str, Any], change: str, author: str) -> None:
    found = heard({**event, "channel": "C1", "event_ts": TS})
    assert isinstance(found, RoomChange)
    assert (found.change, found.author.id, found.to, found.at) == (change, author, Address("slack", "C1"), AT)


def test_a_channel_that_gets_another_id() -> None:
    found = heard({"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C2", "event_ts": TS})
    assert isinstance(found, RoomChange)
    assert (found.to.room, found.change, found.successor) == ("C1", "upgraded", "C2")


def test_guests_of_slack_connect_are_strangers() -> None:
    guest = heard(message(user="U9", team="T9", user_team="T9", source_team="T9"), shared=True)
    mixed = heard(message(user="U9", team="T1", user_team="T9"), shared=True)
    silent = message(user="U9")
    del silent["team"]
    for found in (guest, mixed, heard(silent, shared=True), heard(silent, shared=True, U9="T9")):
        assert found
        assert not found.author.insider
    for found in (heard(silent), heard(silent, shared=True, U9="T1"), heard(message(), shared=True)):
        assert found
        assert found.author.insider


def test_whose_workspace_must_be_asked_for() -> None:
    reaction = {"type": "reaction_added", "user": "U9"}
    assert unknown_author({"event": reaction, "is_ext_shared_channel": True}) == "U9"
    assert unknown_author({"event": reaction}) is None
    assert unknown_author({"event": message(), "is_ext_shared_channel": True}) is None
    assert unknown_author({"command": "/question"}) is None


@pytest.mark.parametrize(
    ("body", "lane"),
    [
        ({"event": {"channel": "C1", "user": "U1"}}, "C1"),
        ({"event": {"item": {"channel": "C1"}, "user": "U1"}}, "C1"),
        ({"event": {"user": "U1"}}, "U1"),
        ({"channel": {"id": "C1"}, "user": {"id": "U1"}}, "C1"),
        ({"container": {"channel_id": "C1"}}, "C1"),
        ({"command": "/question", "channel_id": "C1", "user_id": "U1"}, "C1"),
        ({"user": {"id": "U1"}, "view": {}}, "U1"),
        ({}, ""),
    ],
)
def test_payloads_of_one_conversation_share_a_lane(body: dict[str, Any], lane: str) -> None:
    assert channel_of(body) == lane
