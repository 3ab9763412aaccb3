"""Events kept for later come back as they were."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from bot.message import Address, Attachment, Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange, User
from bot.wire import dump, load

STRINGS = st.text()
SOME = st.none() | STRINGS
USERS = st.builds(User, STRINGS, STRINGS, st.booleans(), st.booleans())
COMMON = {
    "id": STRINGS,
    "at": st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    "author": USERS,
    "to": st.builds(Address, STRINGS, STRINGS, SOME, st.none() | USERS, st.sampled_from(["room", "direct", "home"])),
    "encrypted": st.booleans(),
}
FILES = st.lists(
    st.builds(Attachment, name=STRINGS, size=st.integers(), media_type=STRINGS, source=STRINGS), max_size=3
).map(tuple)
INBOUND = st.one_of(
    st.builds(
        Message,
        **COMMON,
        message_id=STRINGS,
        text=STRINGS,
        reply_to=SOME,
        mentions_bot=st.booleans(),
        files=FILES,
    ),
    st.builds(
        Invocation,
        **COMMON,
        command=STRINGS,
        line=STRINGS,
        form=st.dictionaries(STRINGS, STRINGS, max_size=3),
        pressed=SOME,
        trigger=SOME,
    ),
    st.builds(Edit, **COMMON, message_id=STRINGS, text=STRINGS),
    st.builds(Deletion, **COMMON, message_id=STRINGS),
    st.builds(Reaction, **COMMON, message_id=STRINGS, emoji=STRINGS),
    st.builds(RoomChange, **COMMON, change=st.sampled_from(["invited", "upgraded"]), successor=SOME),
)


@given(INBOUND)
def test_any_event_comes_back_as_it_was(inbound: Inbound) -> None:
    again = load(dump(inbound))
    assert again == inbound
    assert type(again) is type(inbound)


def test_a_place_in_the_stream_is_not_taken_up_again() -> None:
    """It was remembered with the receipt; handled later, the event must not put the platform back to it."""
    author = User("p", "u")
    said = Message(
        id="e",
        at=datetime.now(UTC),
        author=author,
        to=Address("p", "r"),
        message_id="m",
        text="t",
        cursor=("since", "s9"),
    )
    assert load(dump(said)).cursor is None
