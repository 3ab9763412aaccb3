"""Files on Slack: shared once whatever breaks, taken back with the file itself, fetched with the token."""

from collections.abc import AsyncIterator

import pytest

from bot.errors import NotSent, OutcomeUnknown, Refused, SendError
from bot.files import Upload
from bot.message import Address
from bot.message import User as Account
from bot.platforms import Files
from tests.fakes.slack import FakeSlack, Room, User
from tests.fakes.slack.faults import FaultKind
from tests.platforms.slack.conftest import Bot

CONTENT = bytes(range(256)) * 4096  # a megabyte: more than one piece


class Sent:
    """A file of the bot's with a durable memory of how it was begun."""

    def __init__(self, name: str = "bilan.png", content: bytes = CONTENT) -> None:
        self.name, self.content, self.begun = name, content, None

    @property
    def upload(self) -> Upload:
        return Upload(self.name, len(self.content), self._pieces, self.begun, self._begin)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 100_000):
            yield self.content[at : at + 100_000]

    async def _begin(self, name: str) -> None:
        self.begun = name


async def test_a_file_in_a_channel_a_thread_and_for_one_person(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    assert isinstance(bot.platform, Files)
    root = await agent.say(room, "racine")
    one = await bot.platform.send_file(Address("slack", room.id), Sent().upload, key="k1", again=False)
    two = await bot.platform.send_file(Address("slack", room.id, root.ts), Sent().upload, key="k2", again=False)
    alone = Address("slack", room.id, audience=Account("slack", agent.id))
    three = await bot.platform.send_file(alone, Sent("liste.pdf").upload, key="k3", again=False)
    posts = await slack.posts(room, by_bot=True)
    assert [p.ts for p in posts] == [one, two]
    described, content = await slack.file(posts[0].body["files"][0]["id"])
    assert (described["name"], described["mimetype"], content) == ("bilan.png", "image/png", CONTENT)
    assert [p.ts for p in await slack.posts(room, thread=root)] == [two]
    assert [p.ts for p in await slack.posts(agent, by_bot=True)] == [three], "no ephemeral message shows a file"
    assert await slack.violations() == []


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("how", "after"), [("reset", False), ("reset", True), ("error", False), ("error", True), ("limited", False)]
)
async def test_whatever_breaks_it_is_shown_once(
    slack: FakeSlack, bot: Bot, room: Room, step: str, how: FaultKind, after: bool
) -> None:
    sent = Sent(content=b"x" * 300_000)
    await slack.fault(step, how, after=after)
    with pytest.raises((NotSent, OutcomeUnknown)):
        await bot.platform.send_file(Address("slack", room.id), sent.upload, key="k1", again=False)
    ts = await bot.platform.send_file(Address("slack", room.id), sent.upload, key="k1", again=True)
    assert await bot.platform.send_file(Address("slack", room.id), sent.upload, key="k1", again=True) == ts
    assert [p.ts for p in await slack.posts(room)] == [ts]


async def test_a_deletion_takes_the_file_too(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    root = await agent.say(room, "racine")
    for thread in (None, root.ts):
        to = Address("slack", room.id, thread)
        ts = await bot.platform.send_file(to, Sent(content=b"x").upload, key="k1", again=False)
        shown = next(p for p in await slack.posts(room) if p.ts == ts)
        for _ in range(2):
            await bot.platform.delete_file(to, ts, key="k2")
        assert ts not in {p.ts for p in await slack.posts(room)}
        assert await slack.entries("file_deleted", file=shown.body["files"][0]["id"])
    assert {each["method"] for each in await slack.violations()} == {"chat.delete"}, "the repeats only"


async def test_what_a_person_attached_is_fetched(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    post = await agent.upload(room, "acte.pdf", CONTENT)
    got = b"".join([piece async for piece in bot.platform.fetch(post.body["files"][0]["id"])])
    assert got == CONTENT


@pytest.mark.parametrize("how", ["reset", "error", "html"])
async def test_a_file_that_cannot_be_read_is_never_half_read(
    slack: FakeSlack, bot: Bot, agent: User, room: Room, how: FaultKind
) -> None:
    post = await agent.upload(room, "acte.pdf", b"%PDF")
    file = post.body["files"][0]["id"]
    await slack.fault("download", how, times=2 if how == "reset" else 1)  # a read is repeated once by itself
    with pytest.raises(SendError):
        [piece async for piece in bot.platform.fetch(file)]
    assert b"".join([piece async for piece in bot.platform.fetch(file)]) == b"%PDF"
    await agent.delete_file(file)
    with pytest.raises(Refused):
        [piece async for piece in bot.platform.fetch(file)]


async def test_our_token_is_shown_to_slack_alone(bot: Bot) -> None:
    trusted = bot.platform._files._is_slack
    assert trusted("https://files.slack.com/files-pri/T1-F1/a.pdf")
    for address in ("https://slack.com.example.org/a", "http://files.slack.com/a", "https://evilslack.com/a", "", "x"):
        assert not trusted(address)
