"""Events as inbound values."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.message import Attachment, Deletion, Inbound, Message, Reaction, User
from bot.platforms.matrix import inbound
from bot.platforms.matrix.inbound import Place
from bot.platforms.matrix.options import MatrixOptions, server_of
from bot.platforms.matrix.rooms import Room

BOT, CLAIRE, PAUL = "@passerelle:a.fr", "@claire:a.fr", "@paul:b.fr"
SERVERS = frozenset({"a.fr"})


def room(*others: str, name: str = "Passerelle") -> Room:
    return Room("!r", BOT, {BOT: name, **dict.fromkeys(others or (CLAIRE, PAUL), "")})


def read(content: Any, *, kind: str = "m.room.message", where: Room | None = None, **more: Any) -> Inbound | None:
    raw = {"event_id": "$1", "type": kind, "sender": CLAIRE, "origin_server_ts": 1_700_000_000_000, "content": content}
    event = inbound.seen({**raw, **more})
    assert event is not None
    return inbound.convert(event, Place(where or room(), SERVERS, encrypted=False))


def said(body: str, content: Any = None, *, where: Room | None = None) -> Message:
    value = read({"msgtype": "m.text", "body": body, **(content or {})}, where=where)
    assert isinstance(value, Message)
    return value


def html(text: str) -> Message:
    return said("x", {"format": "org.matrix.custom.html", "formatted_body": text})


def test_a_message() -> None:
    value = said("Bonjour *vous*")
    assert value.id == value.message_id == "$1"
    assert value.author == User("matrix", CLAIRE, insider=True)
    assert (value.to.platform, value.to.room, value.to.surface, value.to.thread) == ("matrix", "!r", "room", None)
    assert value.text == r"Bonjour \*vous\*"
    assert value.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert not value.mentions_bot


def test_a_room_of_two_is_direct() -> None:
    assert said("x", where=room(CLAIRE)).to.surface == "direct"
    assert said("x", where=room(CLAIRE, PAUL)).to.surface == "room"


@pytest.mark.parametrize(
    ("body", "more", "text", "mentioned"),
    [
        ("@passerelle: bonjour", {}, "bonjour", True),
        ("@passerelle bonjour", {}, "bonjour", True),
        ("@passerelle:a.fr bonjour", {}, "bonjour", True),
        ("@Passerelle:a.fr, bonjour", {}, "bonjour", True),
        ("Passerelle: bonjour", {}, "bonjour", True),
        ("passerelle, # bonjour", {}, "\\# bonjour", True),
        ("Passerelle est utile", {}, "Passerelle est utile", False),
        ("@passerelles bonjour", {}, "@passerelles bonjour", False),
        ("@passerelle:b.fr bonjour", {}, "@passerelle:b.fr bonjour", False),
        ("bonjour", {"m.mentions": {"user_ids": [BOT]}}, "bonjour", True),
        ("bonjour", {"m.mentions": {"user_ids": [CLAIRE]}}, "bonjour", False),
        ("bonjour", {"m.mentions": {"room": True}}, "bonjour", False),
        ("bonjour", {"m.mentions": [BOT]}, "bonjour", False),
    ],
)
def test_mentions(body: str, more: Any, text: str, mentioned: bool) -> None:
    value = said(body, more)
    assert (value.text, value.mentions_bot) == (text, mentioned)


def test_a_pill_of_the_bot_is_a_mention_and_taken_off_where_it_opens() -> None:
    pill = '<a href="https://matrix.to/#/@passerelle:a.fr">Passerelle</a>'
    assert (html(f"{pill}: <b>bonjour</b>").text, html(f"{pill} x").mentions_bot) == ("**bonjour**", True)
    inside = html(f"dis, {pill}, qui sait ?")
    assert (inside.text, inside.mentions_bot) == ("dis, Passerelle, qui sait ?", True)
    other = html('<a href="https://matrix.to/#/@claire:a.fr">Passerelle</a> x')
    assert not other.mentions_bot


def test_a_reply_mentions_the_bot_only_in_words() -> None:
    """Clients name the author of what is replied to in m.mentions: colleagues' talk under a card is no mention."""
    relation = {"m.in_reply_to": {"event_id": "$card"}}
    mentions = {"user_ids": [BOT]}
    quiet = said("je ne sais pas", {"m.relates_to": relation, "m.mentions": mentions})
    assert (quiet.reply_to, quiet.mentions_bot) == ("$card", False)
    assert said("@passerelle 1", {"m.relates_to": relation, "m.mentions": mentions}).mentions_bot


def test_the_quoted_part_of_a_reply_is_left_out() -> None:
    relation = {"m.in_reply_to": {"event_id": "$card"}}
    body = "> <@passerelle:a.fr> Question\n> Prendre\n\nmerci"
    assert said(body, {"m.relates_to": relation}).text == "merci"
    assert said("> rien à voir\nmerci").text.startswith("\\>")


def test_threads_and_plain_replies_both_count() -> None:
    thread = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$last"}}
    falling = said("x", {"m.relates_to": {**thread, "is_falling_back": True}})
    assert (falling.to.thread, falling.reply_to) == ("$root", "$root")
    real = said("x", {"m.relates_to": {**thread, "is_falling_back": False}})
    assert (real.to.thread, real.reply_to) == ("$root", "$last")


def test_files_plain_and_encrypted() -> None:
    content = {
        "msgtype": "m.file",
        "body": "acte.pdf",
        "url": "mxc://a.fr/abc",
        "info": {"size": 12, "mimetype": "application/pdf"},
    }
    value = read(content)
    assert isinstance(value, Message)
    assert value.files == (
        Attachment(
            id="mxc://a.fr/abc", name="acte.pdf", size=12, media_type="application/pdf", source="mxc://a.fr/abc"
        ),
    )
    assert value.text == ""
    file = {"url": "mxc://a.fr/abc", "key": {"k": "x"}, "iv": "y", "hashes": {"sha256": "z"}, "v": "v2"}
    sealed = read({"msgtype": "m.image", "body": "légende", "filename": "a.png", "file": file})
    assert isinstance(sealed, Message)
    assert (sealed.text, sealed.files[0].name) == ("légende", "a.png")
    assert json.loads(sealed.files[0].source) == file
    assert read({"msgtype": "m.file", "body": "a", "url": "https://espion.fr/a"}) is None


def test_reactions_and_deletions() -> None:
    relation = {"rel_type": "m.annotation", "event_id": "$card", "key": "1️⃣"}
    pressed = read({"m.relates_to": relation}, kind="m.reaction")
    assert isinstance(pressed, Reaction)
    assert (pressed.message_id, pressed.emoji) == ("$card", "1️⃣")
    for gone in (
        read({}, kind="m.room.redaction", redacts="$card"),
        read({"redacts": "$card"}, kind="m.room.redaction"),
    ):
        assert isinstance(gone, Deletion)
        assert gone.message_id == "$card"


@pytest.mark.parametrize("kind", ["m.notice", "m.key.verification.request", "m.location", None, 3])
def test_what_is_not_for_a_bot_is_ignored(kind: Any) -> None:
    assert read({"msgtype": kind, "body": "x"}) is None


@pytest.mark.parametrize(
    "look_alike",
    ["@claire:A.fr", "@claire:а.fr", "@claire:a.fr.", "@claire:a.fr:b.fr", "@claire:x.a.fr", "@claire:a.fr:443"],
)
def test_identity_is_the_full_id_and_no_look_alike_is_an_insider(look_alike: str) -> None:
    value = read({"msgtype": "m.text", "body": "x"}, sender=look_alike)
    assert value is not None
    assert value.author == User("matrix", look_alike, insider=False)
    assert value.author != User("matrix", CLAIRE, insider=True)


def test_externals_live_on_their_own_server_and_only_listed_servers_vouch() -> None:
    common: dict[str, Any] = {"homeserver": "https://a.fr", "user_id": BOT, "store": "x", "store_key": "k"}
    assert MatrixOptions(**common).servers == {"a.fr"}
    tchap = ("agent.interieur.tchap.gouv.fr", "agent.diplomatie.tchap.gouv.fr")
    listed = MatrixOptions(**common, allowed_servers=tchap).servers
    assert server_of("@x-y.fr:agent.externe.tchap.gouv.fr") not in listed
    assert server_of("@x-y.fr:agent.interieur.tchap.gouv.fr") in listed
    assert "a.fr" not in listed


@pytest.mark.parametrize("clock", [-1, 10**18, 1.5, "x", None, True, 2**63, float("nan")])
def test_a_senders_clock_can_say_anything(clock: Any) -> None:
    value = read({"msgtype": "m.text", "body": "x"}, origin_server_ts=clock)
    assert value is not None
    assert value.at.tzinfo is UTC


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _mostly(value: Any) -> Any:
    return st.just(value) | _json


_contents = st.fixed_dictionaries(
    {},
    optional={
        "msgtype": _mostly("m.text") | _mostly("m.file"),
        "body": _mostly("Bonjour"),
        "format": _mostly("org.matrix.custom.html"),
        "formatted_body": _mostly("<b>Bonjour"),
        "m.mentions": _mostly({"user_ids": [BOT]}),
        "m.relates_to": _json
        | st.fixed_dictionaries({"rel_type": _mostly("m.thread"), "event_id": _json, "m.in_reply_to": _json}),
        "url": _mostly("mxc://a.fr/b"),
        "file": _json,
        "info": _mostly({"size": 1}) | st.fixed_dictionaries({"size": _json, "mimetype": _json}),
        "filename": _json,
        "m.new_content": _json,
    },
)


@settings(deadline=None)
@given(_contents, st.sampled_from(["m.room.message", "m.reaction", "m.room.redaction", "m.room.encrypted", "x"]))
def test_no_content_is_too_odd(content: Any, kind: str) -> None:
    value = read(content, kind=kind)
    assert value is None or isinstance(value, Message | Reaction | Deletion)


@settings(deadline=None)
@given(_json)
def test_no_event_is_too_odd(event: Any) -> None:
    assert inbound.seen(event) is None


@pytest.mark.parametrize("hostile", ["$" + "x" * 300, "$a\0b", "$a\ud800b", "", 7, None, "$é" * 90])
def test_what_cannot_be_an_id_is_none(hostile: Any) -> None:
    thread = {"m.relates_to": {"rel_type": "m.thread", "event_id": hostile, "m.in_reply_to": {"event_id": hostile}}}
    value = said("x", thread)
    assert (value.to.thread, value.reply_to) == (None, None)
    assert inbound.seen({"event_id": hostile, "type": "t", "sender": CLAIRE, "content": {}}) is None
    annotation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": hostile, "key": "x"}}
    assert read(annotation, kind="m.reaction") is None
