"""Health over HTTP: alive, and ready or why not."""

import asyncio
import io
import re
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot import health, http, jobs, life
from bot.app import App, build
from bot.connections import add, reporter
from bot.db import Database, Failure
from bot.engines import WRITERS
from bot.errors import ConfigurationError, Unavailable
from bot.jobs import outgoing
from bot.migrate import newest
from config.settings import HttpSettings, Settings
from tests.servers.processes import free_port
from tests.stories.scene import Stage


def app_on(database: Database, port: int = 0) -> App:
    made = build(Settings(http=HttpSettings(port=port or free_port())), database)
    add(made, Stage(), {"stage"})
    return made


async def get(app: App, path: str) -> tuple[int, dict[str, object]]:
    where = app.settings.http
    async with aiohttp.ClientSession() as session, session.get(f"http://{where.host}:{where.port}{path}") as answer:
        return answer.status, await answer.json()


async def test_alive_is_alive_whatever_else_is_not(database: Database) -> None:
    app = app_on(database)
    async with http.serving(app):
        assert await get(app, "/healthz") == (200, {"ok": True})


async def test_ready_when_the_database_answers_and_every_platform_is_connected(database: Database) -> None:
    app = app_on(database)
    report = reporter(app, "stage")
    async with http.serving(app):
        said = {"ok": False, "database": "ok", "stage": "not connected yet", "stage_heard": None}
        said |= {"last_tick": None, "oldest_job": None, "migrations": newest()}
        assert await get(app, "/readyz") == (503, said)
        report(True)
        status, found = await get(app, "/readyz")
        assert (status, found["ok"], found["stage"], found["stage_heard"]) == (200, True, "ok", 0.0)
        report(False, "the token was revoked")
        status, found = await get(app, "/readyz")
        assert (status, found["ok"], found["stage"]) == (503, False, "the token was revoked")
        report(True)
        assert (await get(app, "/readyz"))[0] == 200


async def test_ready_tells_how_long_something_waits_and_when_it_last_looked(database: Database) -> None:
    app = app_on(database)
    reporter(app, "stage")(True)
    await life.tick(app)
    then = app.clock() - timedelta(seconds=90)
    database.run_now(lambda s: jobs.put(s, "say", {}, lane="stage:r", queue="stage", key="k", now=then))
    async with http.serving(app):
        found = (await get(app, "/readyz"))[1]
    assert 90 <= float(str(found["oldest_job"])) < 100
    assert float(str(found["last_tick"])) < 10


async def test_metrics_are_what_prometheus_reads(database: Database) -> None:
    app = app_on(database)
    reporter(app, "stage")(True)
    await life.tick(app)
    app.events['sta"ge\\'] += 3
    app.worker.ended["say", "sent"] += 2
    then = app.clock() - timedelta(seconds=90)
    database.run_now(lambda s: jobs.put(s, "say", {}, lane="stage:r", queue="stage", key="k", now=then))
    database.run_now(lambda s: outgoing.close(s, then))
    url = f"http://{app.settings.http.host}:{app.settings.http.port}/metrics"
    async with http.serving(app), aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await answer.text()
    lines = text.splitlines()
    sample = re.compile(r'[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+')
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) > 15
    assert all(sample.fullmatch(line) for line in lines if not line.startswith("# "))
    assert 'passerelle_platform_up{platform="stage"} 1' in lines
    assert 'passerelle_jobs_waiting{queue="stage"} 1' in lines
    assert 'passerelle_events_total{platform="sta\\"ge\\\\"} 3' in lines
    assert 'passerelle_tries_total{kind="say",state="sent"} 2' in lines
    assert "passerelle_outbox_closed 1" in lines
    assert "passerelle_database_up 1" in lines
    [late] = [float(line.split()[1]) for line in lines if line.startswith("passerelle_oldest_job_seconds ")]
    assert 90 <= late < 100


async def test_metrics_without_the_database_say_so() -> None:
    database = Database("postgresql+psycopg://user:geheim@127.0.0.1:1/nowhere")
    text = await health.metrics(app_on(database))
    assert "passerelle_database_up 0\n" in text
    assert "jobs_waiting" not in text
    database.close()


async def test_not_ready_while_the_database_is_out_of_reach() -> None:
    database = Database("postgresql+psycopg://user:geheim@127.0.0.1:1/nowhere")
    app = app_on(database)
    reporter(app, "stage")
    app.states["stage"].ok = True
    async with http.serving(app):
        status, said = await get(app, "/readyz")
    assert status == 503
    assert "Connection refused" in str(said["database"])
    assert "geheim" not in str(said)
    assert (said["ok"], said["stage"]) == (False, "ok")
    database.close()


async def test_a_database_that_refused_something_or_does_not_answer_is_not_ready(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(database)
    reporter(app, "stage")(True)
    async with http.serving(app):
        database.failure = Failure(time.monotonic(), "database or disk is full")
        status, said = await get(app, "/readyz")
        assert (status, said["database"]) == (503, "database or disk is full")
        database.failure = None
        monkeypatch.setattr(health, "ANSWER", 0.05)
        free = threading.Event()
        busy = [asyncio.create_task(database.run(lambda s: free.wait(5))) for _ in range(WRITERS)]
        status, said = await get(app, "/readyz")
        free.set()
        await asyncio.gather(*busy)
    assert status == 503
    assert "no answer within 0.05 s" in str(said["database"])


async def test_a_database_that_gives_no_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: object) -> None:
        raise Unavailable

    app = app_on(database)
    monkeypatch.setattr(database, "run", fail)
    async with http.serving(app):
        assert (await get(app, "/readyz"))[1]["database"] == "unavailable"


class Served(Stage):
    """A platform that receives by HTTP."""

    def routes(self) -> Sequence[web.RouteDef]:
        async def take(request: web.Request) -> web.Response:
            return web.json_response({"got": await request.text()})

        return [web.post("/stage/events", take)]


async def test_a_platform_may_receive_by_http(database: Database) -> None:
    app = app_on(database)
    add(app, Served(), {"stage"})
    where = app.settings.http
    async with http.serving(app), aiohttp.ClientSession() as session:
        url = f"http://{where.host}:{where.port}/stage/events"
        async with session.post(url, data="hello") as answer:
            assert await answer.json() == {"got": "hello"}
        async with session.post(url, data=io.BytesIO(b"x" * (1024**2 + 1))) as answer:
            assert answer.status == 413


async def test_a_port_that_is_taken_is_no_reason_to_stop(database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        app = app_on(database, taken.getsockname()[1])
        with capture_logs() as logs:
            async with http.serving(app):
                pass
    [log] = logs
    assert log["event"] == "http_not_listening"
    assert "already in use" in log["reason"]


async def test_unless_a_platform_needs_it(database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        app = app_on(database, port)
        add(app, Served(), {"stage"})
        with pytest.raises(ConfigurationError, match=rf"http\.port: {port} on 127\.0\.0\.1 .*already in use"):
            async with http.serving(app):
                pass


async def test_the_port_is_free_again_afterwards(database: Database) -> None:
    app = app_on(database)
    for _ in range(2):
        async with http.serving(app):
            assert (await get(app, "/healthz"))[0] == 200
