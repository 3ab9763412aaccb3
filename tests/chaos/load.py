"""Conversations: a prefecture asks on Slack, a post answers on Matrix, both say numbered things, then it is closed."""

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.tail import Tail
from tests.chaos.world import BOT, World

PREFECTURES = ("prefecture-57", "prefecture-67", "prefecture-31", "prefecture-59")
POSTS = {
    "consulat-francfort": "Sarrebruck",
    "consulat-munich": "Munich",
    "consulat-milan": "Milan",
    "consulat-madrid": "Madrid",
}
TURNS = 2  # numbered messages of each side
CROWD = 60  # conversations under way at once
GREETING = "Je porte les questions"  # said in a room that the bot was brought into

CANARIES = ("Complément", "Réponse", "acte de naissance", "dossier", "transmis")  # said all the time, never logged

_NAME = re.compile(r"c\d{4}")


def logged(*logs: Path) -> list[str]:
    """Return the lines of logs that hold something of what people or the bot said."""
    lines = (line for log in logs for line in log.read_text(errors="replace").splitlines())
    return [line for line in lines if any(canary in line for canary in CANARIES)]


async def furnish(world: World, prefectures: Sequence[str] = PREFECTURES, posts: Sequence[str] = tuple(POSTS)) -> None:
    """Give organisations a place each: prefectures on Slack, posts on Matrix."""
    for number, organisation in enumerate(prefectures):
        world.channel(organisation, f"C{number:04}")
    for organisation in posts:
        await world.room(organisation)


@dataclass
class Conversation:
    """One question and all that follows from it."""

    name: str
    channel: str
    user: str
    room: str
    text: str
    root: str = ""  # on Slack
    number: str = ""
    seen: set[str] = field(default_factory=set)
    card: asyncio.Event = field(default_factory=asyncio.Event)
    card_id: str = ""
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    said: dict[str, float] = field(default_factory=dict[str, float])  # when, each word
    arrived: dict[str, float] = field(default_factory=dict[str, float])  # on the other side
    ids: dict[str, str] = field(default_factory=dict[str, str])  # how its receipt ends, each word

    def words(self, side: str) -> list[str]:
        """Return the numbered words of a side: `a` says them on Slack, `r` on Matrix."""
        return [f"{self.name}-{side}{turn}." for turn in range(1, TURNS + 1)]

    @property
    def expected(self) -> set[str]:
        return {*self.words("a"), *self.words("r")}


@dataclass
class Load:
    """People who talk, whatever the bot does."""

    world: World
    random: Random
    conversations: dict[str, Conversation] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, rate: float) -> None:
        """Begin a new conversation `rate` times a second, until `enough`."""
        self._tasks += [asyncio.create_task(self._watch()), asyncio.create_task(self._begin(rate))]

    def enough(self) -> None:
        """Begin no new conversation."""
        self._more.set()

    async def said_all(self, seconds: float) -> None:
        """Wait until every conversation has come to its end, but no longer than that."""
        if self._talks:
            await asyncio.wait(self._talks, timeout=seconds)

    def delays(self, taken: Mapping[str, datetime]) -> list[tuple[float, str]]:
        """Return how long each word took to the other side, when it was said and after what time taken.

        The shortest is first. What was said on Slack counts from when the bot had `taken` it: until then it is Slack
        that repeats it.
        """
        found: list[tuple[float, str]] = []
        for it in self.conversations.values():
            for words, arrived in it.arrived.items():
                said, id_ = it.said[words], it.ids.get(words, "unknown")
                at = next((at.timestamp() for key, at in taken.items() if key.endswith(id_)), said)
                begun = at if words in it.words("a") else said
                when = f"{datetime.fromtimestamp(said, UTC):%H:%M:%S.%f}, taken after {at - said:.1f} s"
                found.append((arrived - begun, f"{words} {when}, arrived"))
        return sorted(found)

    async def end(self) -> None:
        """Send everybody home."""
        tasks = [*self._tasks, *self._talks]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _begin(self, rate: float) -> None:
        while not self._more.is_set():
            if sum(not talk.done() for talk in self._talks) < CROWD:  # nobody asks for ever without an answer
                self._talks.add(asyncio.create_task(self._talk(self._new())))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.random.expovariate(rate)):
                    await self._more.wait()

    def _new(self) -> Conversation:
        number = len(self.conversations) + 1
        prefecture = self.random.choice(list(self.world.channels))
        post = self.random.choice(list(self.world.rooms))
        name = f"c{number:04}"
        text = f"Nous doutons d'un acte de naissance établi à {POSTS[post]}, dossier {name}."
        user = f"U{prefecture[-2:]}{number % 5}"
        self.world.slack.user(user)
        made = Conversation(name, self.world.channels[prefecture].id, user, self.world.rooms[post], text)
        self.conversations[name] = made
        return made

    async def _talk(self, it: Conversation) -> None:
        it.root = await self._say(it, f"{self.world.slack.mention} {it.text}", "")
        await asyncio.gather(self._add(it), self._answer(it))
        await it.complete.wait()
        await self._say(it, f"{self.world.slack.mention} clore {it.number}", it.root)

    async def _add(self, it: Conversation) -> None:
        for words in it.words("a"):
            await asyncio.sleep(self.random.uniform(0.02, 0.5))
            it.said[words] = time.time()
            it.ids[words] = f"{it.channel}:{await self._say(it, f'Complément {words}', it.root)}"

    async def _answer(self, it: Conversation) -> None:
        await it.card.wait()
        person = (self.world.matrix, self.world.colleague)[int(it.name[1:]) % 2]
        relation = {"rel_type": "m.thread", "event_id": it.card_id, "m.in_reply_to": {"event_id": it.card_id}}
        for words in it.words("r"):
            body = f"!repondre Réponse {words}"
            content = {"msgtype": "m.text", "body": body, "m.mentions": {}, "m.relates_to": relation}
            it.said[words] = time.time()
            it.ids[words] = await person.send(it.room, "m.room.message", content)
            await asyncio.sleep(self.random.uniform(0.0, 0.3))

    async def _say(self, it: Conversation, text: str, thread: str) -> str:
        said = {"user": it.user, "channel": it.channel, "text": text, "thread": thread}
        return (await self.world.slack.burst([said]))[0]

    async def _watch(self) -> None:
        """See on both sides what the bot says."""
        slack = Tail(self.world.slack_ledger)
        matrix = Tail(self.world.matrix_ledger)
        while True:
            for entry in slack.news():
                if entry["kind"] == "post":
                    self._notice(entry["text"], "")
            for sent in matrix.news():
                if sent["sender"] == BOT and not _is_edit(sent):
                    self._notice(sent["content"].get("body", ""), sent["event_id"])
            await asyncio.sleep(0.05)

    def _notice(self, text: str, event_id: str) -> None:
        found = _NAME.search(text)
        it = self.conversations.get(found[0]) if found else None
        if it is None:
            return
        if "dossier" in text and not it.card_id:
            it.card_id = event_id
            it.number = text[text.index("Q-") :][:12]
            it.card.set()
        for words in it.expected - it.seen:
            if words in text:
                it.seen.add(words)
                it.arrived[words] = time.time()
        if it.seen == it.expected:
            it.complete.set()


def _is_edit(sent: dict[str, Any]) -> bool:
    return sent["content"].get("m.relates_to", {}).get("rel_type") == "m.replace"


@dataclass
class Findings:
    """What the ledgers say of a run."""

    conversations: int = 0
    relayed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            f"{name}: {one}"
            for name in ("lost", "doubled", "disordered", "strange", "stale")
            for one in getattr(self, name)
        ]

    def __str__(self) -> str:
        return (
            f"{self.conversations} conversations, {self.relayed} messages carried, {len(self.lost)} lost, "
            f"{len(self.doubled)} doubled, {len(self.disordered)} out of order, {len(self.strange)} strange, "
            f"{len(self.stale)} cards not up to date"
        )


async def audit(load: Load) -> Findings:
    """Compare what was said with what the fakes accepted from the bot."""
    found = Findings(conversations=len(load.conversations))
    slack = await _on_slack(load.world)
    matrix = _on_matrix(load.world)
    for key, count in _doubles([*slack, *matrix]).items():
        found.doubled.append(f"{count} times under the key {key}")
    for it in load.conversations.values():
        if not it.number:
            found.lost.append(f"the question {it.name}")
            continue
        mine_slack = [s for s in slack if s.thread == it.root]
        mine_matrix = [m for m in matrix if it.card_id in (m.id, m.thread)]
        _compare(found, it, "r", [s for s in mine_slack if "Réponse" in s.text])
        _compare(found, it, "a", [m for m in mine_matrix if "Complément" in m.text])
        _count(found, f"confirmation of {it.name} on Slack", [s for s in mine_slack if "transmis" in s.text], TURNS)
        _count(found, f"confirmation of {it.name} on Matrix", [m for m in mine_matrix if "transmis" in m.text], TURNS)
        card = [s for s in mine_slack if f"Question {it.number}" in s.text]
        opening = [m for m in matrix if f"dossier {it.name}" in m.text]
        _count(found, f"closing of {it.name}", [m for m in mine_matrix if "a été close" in m.text], 1)
        _count(found, f"card of {it.name} on Slack", card, 1)
        _count(found, f"card of {it.name} on Matrix", opening, 1)
        found.stale += [f"{it.name} {it.number}: {said.id}" for said in (*card, *opening) if "Close" not in said.now]
    known = {it.root for it in load.conversations.values()}, {it.card_id for it in load.conversations.values()}
    found.strange += [s.text for s in slack if s.thread not in known[0]]
    matrix = [m for m in matrix if GREETING not in m.text]
    found.strange += [m.text for m in matrix if m.id not in known[1] and m.thread not in known[1]]
    # Its card, the words of the other side, the confirmations of its own; on Matrix also that it was closed.
    for side, said, per in (("Slack", slack, 1 + 2 * TURNS), ("Matrix", matrix, 2 + 2 * TURNS)):
        if len(said) != per * found.conversations and not found.faults:
            found.strange.append(f"{len(said)} messages on {side} instead of {per * found.conversations}")
    return found


@dataclass(frozen=True)
class Said:
    """A message of the bot's, as it was first said; `now` is what it shows at the end."""

    id: str
    thread: str | None
    key: str
    text: str
    now: str
    order: Any


async def _on_slack(world: World) -> list[Said]:
    out: list[Said] = []
    for room in world.channels.values():
        for post in (await world.slack.call("posts", channel=room.id))["posts"]:
            if post["bot"] and not post["deleted"]:
                body = post["body"]
                key = post["metadata"]["event_payload"]["key"]
                first = (post["versions"] or [body["text"]])[0]
                out.append(Said(body["ts"], body.get("thread_ts"), key, first, str(body), float(body["ts"])))
    return out


def _on_matrix(world: World) -> list[Said]:
    now: dict[str, str] = {}
    out: dict[str, Said] = {}
    for order, sent in enumerate(world.stub.ledger):
        if sent.sender != BOT or sent.type != "m.room.message":
            continue
        relation = sent.content.get("m.relates_to", {})
        if relation.get("rel_type") == "m.replace":
            now[relation["event_id"]] = sent.content["m.new_content"]["body"]
        else:
            body = sent.content["body"]
            said = Said(
                sent.event_id, relation.get("event_id"), sent.content["fr.passerelle"]["key"], body, body, order
            )
            out.setdefault(sent.event_id, said)
    return [Said(s.id, s.thread, s.key, s.text, now.get(s.id, s.now), s.order) for s in out.values()]


def _doubles(said: list[Said]) -> dict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for one in said:
        counts[one.key] += 1
    return {key: count for key, count in counts.items() if count > 1}


def _compare(found: Findings, it: Conversation, side: str, said: list[Said]) -> None:
    """Each word of a side once, in order."""
    arrived = [words for one in sorted(said, key=lambda s: s.order) for words in it.words(side) if words in one.text]
    found.relayed += len(arrived)
    found.lost += [f"{words} ({it.number})" for words in it.words(side) if words not in arrived]
    found.doubled += [words for words in it.words(side) if arrived.count(words) > 1]
    if sorted(arrived) != arrived:
        found.disordered.append(f"{it.name}: {arrived}")


def _count(found: Findings, what: str, said: list[Said], wanted: int) -> None:
    if len(said) < wanted:
        found.lost.append(f"{what}: {len(said)} of {wanted}")
    if len(said) > wanted:
        found.doubled.append(f"{what}: {len(said)} of {wanted}")
