"""The composition root: platforms that are configured, what they say of themselves, and what a tick does."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot import jobs
from bot.app import App, build, destinations
from bot.card import Card, Paragraph
from bot.connections import add, connect, live, matrix_options, reporter, slack_options
from bot.context import World
from bot.db import Database
from bot.directory import rooms
from bot.errors import ConfigurationError
from bot.jobs.tables import Job, Lane
from bot.jobs.tenure import Office
from bot.life import running, tick
from bot.message import Address
from bot.outbox import Destination
from bot.privacy import retention
from bot.routing.learnt import Learnt
from bot.routing.rules import Rules
from bot.texts import Reader
from config.settings import MatrixSettings, Settings, SlackSettings
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Clock, Place, Scene, Stage, scene

SLACK = SlackSettings.model_validate({"bot_token": "xoxb-1", "app_token": "xapp-1", "pace": 2.0})
MATRIX = MatrixSettings.model_validate(
    {"homeserver": "https://h", "user_id": "@b:h", "password": "p", "store_key": "k", "requests_per_second": 4}
)


def put(database: Database, key: str, at: datetime, **more: Any) -> None:
    database.run_now(lambda s: jobs.put(s, "say", {}, lane="stage:r", queue="stage", key=key, now=at, **more))


# --- platforms


async def test_only_configured_platforms_are_connected(database: Database) -> None:
    app = build(Settings(), database)
    connect(app)
    assert (app.platforms, app.worker.queues) == ({}, {"in"})
    app = build(Settings(slack=SLACK, matrix=MATRIX), database)
    connect(app)
    assert (set(app.platforms), set(app.states)) == ({"slack"}, {"slack", "matrix"}), "Matrix is loaded beside it"
    assert [coming.add().name for coming in app.coming] == ["matrix"]
    assert set(app.platforms) == {"slack", "matrix"}
    assert app.worker.queues == {"in", "slack"}, "Matrix's is served by one process, in its term"
    paces = {name: (pace.rate, pace.burst) for name, pace in app.worker._paces.items() if name != "in"}
    assert paces == {"slack": (2.0, 3), "matrix": (5.0, 10)}, "messages a second in one room"
    assert all(platform.name == name for name, platform in app.platforms.items())
    assert not any(state.ok for state in app.states.values())


def test_settings_reach_the_platforms() -> None:
    settings = Settings(slack=SLACK, matrix=MATRIX)
    assert slack_options(settings).bot_token == "xoxb-1"
    options = matrix_options(settings)
    assert (options.user_id, options.pace, options.language) == ("@b:h", 0.25, "fr")
    assert options.store == settings.data_dir / "matrix"
    for read, name in ((slack_options, "slack"), (matrix_options, "matrix")):
        with pytest.raises(ConfigurationError, match=f"{name}: not configured"):
            read(Settings())


async def test_a_state_is_logged_when_it_changes_and_not_again(database: Database) -> None:
    app = build(Settings(), database)
    add(app, Stage(), {"stage"})
    report = reporter(app, "stage")
    with capture_logs() as logs:
        for ok, reason in ((False, "not connected yet"), (True, ""), (True, ""), (False, "down"), (False, "down")):
            report(ok, reason)
    assert [log["event"] for log in logs] == ["platform_ok", "platform_down"]
    assert logs[1]["reason"] == "down"
    assert app.states["stage"].ever
    await asyncio.sleep(0.1)


async def test_a_platform_that_is_back_gets_what_waits(database: Database) -> None:
    clock = Clock()
    app = build(Settings(), database, clock)
    add(app, Stage(), {"stage"})
    put(database, "k", clock(), due_at=clock() + timedelta(hours=1))
    database.run_now(lambda s: s.execute(update(Job).values(error="down")))
    reporter(app, "stage")(True)
    async with asyncio.timeout(5):
        while database.run_now(lambda s: s.scalar(select(Lane.due_at))) != clock():
            await asyncio.sleep(0.02)


async def test_what_waits_for_a_platform_that_runs_alone_is_begun_once_it_is_connected(database: Database) -> None:
    app = build(Settings(), database)
    add(app, Stage(), set())
    office = app.offices["stage"] = Office(database, "stage", app.worker.owner, app.clock)
    report = reporter(app, "stage")
    report(True)
    assert "stage" not in app.worker.queues, "its term is over, or not begun"
    report(False, "taking over")
    await office.waited_for(lambda: 0, lambda: None)
    report(True)
    assert "stage" in app.worker.queues
    await asyncio.sleep(0.1)


class Broken(Stage):
    """A platform that stops because an operator must act."""

    def __init__(self, name: str, *, after_start: bool = False) -> None:
        super().__init__(name)
        self._after_start = after_start
        self.app: App | None = None
        self.stopped = asyncio.Event()

    async def close(self) -> None:
        pass

    async def run(self, receive: object) -> None:
        assert self.app is not None
        if self._after_start:
            reporter(self.app, self.name)(True)
        self.stopped.set()
        raise ConfigurationError(f"{self.name}.token: revoked")


def bot_with(database: Database, *platforms: Broken | Stage) -> App:
    app = build(Settings(), database)
    for platform in platforms:
        if isinstance(platform, Broken):
            platform.app = app
        add(app, platform, {platform.name})
    return app


async def test_a_platform_that_must_be_mended_does_not_stop_the_others(database: Database) -> None:
    broken = Broken("broken", after_start=True)
    app = bot_with(database, broken, Stage())
    app.states["stage"].ok = True
    with capture_logs() as logs:
        async with running(app):
            await broken.stopped.wait()
            await asyncio.sleep(0.05)
            assert app.states["broken"].reason == "broken.token: revoked"
            assert not app.states["broken"].ok
    assert [log["reason"] for log in logs if log["event"] == "platform_stopped"] == ["broken.token: revoked"]


@pytest.mark.parametrize("after_start", [True, False])
async def test_the_only_one_does(database: Database, *, after_start: bool) -> None:
    app = bot_with(database, Broken("broken", after_start=after_start))
    with pytest.raises(ExceptionGroup) as told:
        async with running(app):
            await asyncio.sleep(10)
    assert told.group_contains(ConfigurationError, match="revoked")


async def test_it_stops_at_once_and_leaves_no_task(database: Database) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(5):
        async with running(bot_with(database, Stage())):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


# --- while the rules of routing are read


async def test_what_waits_is_said_and_what_is_asked_waits_in_no_transaction(
    database: Database, around: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = threading.Event()
    slow = Learnt(lambda: around.rules if read.wait(5) else pytest.fail("nobody let them be read"))
    monkeypatch.setattr("bot.app.world", lambda: replace(around, learnt=slow))
    async with scene(database) as play, asyncio.timeout(5):
        prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort")
        asked = asyncio.create_task(prefecture.say(SAARBRUCKEN))
        card = Card(None, (Paragraph("Un mot qui attendait."),))
        to = Address("stage", consulate.room)
        await play.app.database.run(lambda s: play.app.exit_(s, play.clock()).put(to, card, key="waits"))
        while not play.stage.sent:
            await asyncio.sleep(0.01)
        assert play.stage.sent == [(consulate.room, "waits")]
        assert not asked.done()
        read.set()
        await asked
        consulate.sees("Q-2026-00001")


async def test_rules_that_cannot_be_read_end_the_bot(
    database: Database, around: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Rules:
        raise ConfigurationError("topics.toml: line 3")

    monkeypatch.setattr("bot.app.world", lambda: replace(around, learnt=Learnt(broken)))
    monkeypatch.setattr("bot.life.SETTLED", 0.01)
    with pytest.raises(ExceptionGroup) as told:
        async with scene(database):
            await asyncio.sleep(10)
    assert told.group_contains(ConfigurationError, match="topics")


# --- what platforms may ask


async def test_the_threads_under_way_are_told_to_their_platform(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    threads = live(play.app.database, "stage")
    assert await threads() == []
    first = await prefecture.say(SAARBRUCKEN)
    card = consulate.sees("Q-2026-00001")
    found = await threads()
    assert {(to.room, to.thread) for to in found} == {(prefecture.room, first), (consulate.room, card.id)}
    assert await live(play.app.database, "slack")() == []
    await prefecture.invoke("annuler", "Q-2026-00001")
    assert await threads() == []


def test_a_place_is_written_to_in_its_own_language_and_zone(database: Database, around: World) -> None:
    look_up = destinations(Settings(language="en"), around.current)

    def of(room: str) -> Destination:
        return database.run_now(lambda s: look_up(s, Address("stage", room)))

    assert of("nowhere").reader == Reader("en", "Europe/Paris")

    def work(session: Session) -> None:
        rooms.link(session, "ambassade-jp", "stage", "tokyo", datetime.now(UTC)).language = "fr"
        rooms.note(session, "stage", "tokyo", encrypted=True)
        rooms.note(session, "stage", "unlinked")

    database.run_now(work)
    assert of("tokyo").reader.language == "fr"
    assert of("tokyo").encrypted
    assert of("unlinked").reader == Reader("en", "Europe/Paris")


# --- the tick


async def test_a_tick_tells_what_is_stuck_once_and_again_when_it_changes(database: Database) -> None:
    clock = Clock()
    app = build(Settings(), database, clock)
    put(database, "a", clock())
    clock.pass_(minutes=10)
    with capture_logs() as logs:
        await tick(app)
        await tick(app)
        put(database, "b", clock() - timedelta(minutes=6))
        await tick(app)
    assert [(log["event"], log["what"], log["count"]) for log in logs if log["event"] == "stuck"] == [
        ("stuck", "jobs_late", 1),
        ("stuck", "jobs_late", 2),
    ]


async def test_a_tick_wakes_what_was_forgotten(database: Database) -> None:
    clock = Clock()
    app = build(Settings(), database, clock)
    put(database, "a", clock())
    database.run_now(lambda s: s.execute(update(Lane).values(due_at=None)))
    woken: list[object] = []
    app.worker.wake = lambda *queues: woken.append(queues)  # type: ignore[method-assign]
    await tick(app)
    assert database.run_now(lambda s: s.scalar(select(Lane.due_at))) == clock()
    assert woken


async def test_now_and_then_a_tick_forgets_what_is_over(database: Database) -> None:
    clock = Clock()
    app = build(Settings(), database, clock)

    def rows() -> int:
        return database.run_now(lambda s: s.scalar(select(func.count()).select_from(Job))) or 0

    database.run_now(lambda s: retention.begin(s, clock()))

    async def is_over(key: str) -> None:
        put(database, key, clock())
        old = clock() - timedelta(days=31)
        database.run_now(lambda s: s.execute(update(Job).values(state="sent", done_at=old)))
        await tick(app)

    await is_over("a")
    assert rows() == 0
    await is_over("b")
    assert rows() == 1, "not at each tick"
    clock.pass_(days=1, seconds=1)
    await is_over("c")
    assert rows() == 0
