"""Administrators are told what is wrong and what to do, once, and that it is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import alerts, life
from bot.alerts import Trouble
from bot.app import App, build
from bot.connections import add, reporter
from bot.db import Database
from bot.jobs import outgoing
from bot.jobs.tables import Job
from bot.memory import REFUSED, remember
from bot.message import Address
from bot.texts import Text
from config.settings import OperatorSettings, Settings
from tests.stories.scene import Stage
from tests.typed import typed

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOM = Address("stage", "operators")
FULL = Trouble("disk here", Text.of("alert.disk", host="here", megabytes=12))


@pytest.fixture
def app(database: Database, tmp_path: Path) -> App:
    made = build(Settings(data_dir=tmp_path), database)
    add(made, Stage(), {"stage"})
    return made


def tell(app: App, found: Sequence[Trouble], at: datetime = NOON, owner: str = "") -> None:
    by = owner or app.worker.owner
    app.database.run_now(lambda s: alerts.tell(s, app.exit_(s, at), ROOM, by, found, at))


def said(app: App) -> list[str]:
    return [
        typed(str(args)) for args in app.database.run_now(lambda s: s.scalars(select(Job.args).order_by(Job.id)).all())
    ]


def test_a_trouble_is_told_once_with_what_to_do_and_so_is_its_end(app: App) -> None:
    tell(app, [FULL])
    tell(app, [FULL], NOON + timedelta(hours=1))
    [first] = said(app)
    assert "Le disque de here est presque plein : 12 Mo libres. À faire" in first
    tell(app, [], NOON + timedelta(hours=2))
    tell(app, [], NOON + timedelta(hours=3))
    assert len(said(app)) == 2
    assert "C'est rétabli : disque presque plein" in said(app)[1].replace("’", "'")
    tell(app, [FULL], NOON + timedelta(hours=4))
    assert len(said(app)) == 3, "when it comes back it is told again"


def test_who_told_it_says_that_it_is_over_unless_that_one_is_gone(app: App) -> None:
    tell(app, [FULL], owner="elsewhere/1/a")
    tell(app, [FULL])
    assert len(said(app)) == 1
    tell(app, [])  # the other process is not among the living
    assert len(said(app)) == 2


def test_a_platform_is_told_to_be_silent_after_a_while_and_refused_at_once(app: App) -> None:
    down = [("slack", "no route", False, NOON), ("matrix", "matrix.access_token: revoked", True, NOON)]
    assert [t.name for t in alerts.of_platforms(down, NOON)] == ["refused matrix"]
    later = NOON + alerts.SILENCE + timedelta(seconds=1)
    assert [t.name for t in alerts.of_platforms(down, later)] == ["silent slack", "refused matrix"]


def test_a_clock_that_is_off_and_a_full_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(alerts.of_machine(timedelta(seconds=1), tmp_path, "h")) == []
    [clock] = alerts.of_machine(timedelta(seconds=-40), tmp_path, "h")
    assert (clock.name, dict(clock.text.values)["seconds"]) == ("clock h", -40)
    monkeypatch.setattr(alerts, "FREE", 10**18)
    [disk] = alerts.of_machine(timedelta(), tmp_path / "not there yet", "h")
    assert disk.name == "disk h"


def test_whose_identity_an_operator_must_agree_to_is_told(app: App) -> None:
    for value in ("KEY", None):
        app.database.run_now(lambda s, v=value: remember(s, "matrix", {f"{REFUSED}@agent:example.org": v}))
        tell(app, app.database.run_now(lambda s: [*alerts.of_identities(s)]))
    changed, over = said(app)
    assert "@agent:example.org a changé" in changed
    assert "passerelle matrix trust" in changed
    assert "rétabli : identité chiffrée changée" in over


async def test_a_tick_tells_what_it_sees(app: App) -> None:
    app.settings = app.settings.model_copy(
        update={"operator": OperatorSettings.model_construct(alerts="stage:operators")}
    )
    app.database.run_now(lambda s: outgoing.close(s, app.clock()))
    reporter(app, "stage")(False, "out of reach")
    await life.tick(app)
    assert len(said(app)) == 1
    assert "passerelle outbox release" in said(app)[0]
    state = app.states["stage"]
    assert state.down_since is not None
    state.down_since -= alerts.SILENCE * 2
    await life.tick(app)
    assert "stage ne répond plus depuis" in said(app)[1]
    assert "out of reach" in said(app)[1]
    reporter(app, "stage")(True)
    app.database.run_now(lambda s: outgoing.release(s, drop=True))
    await life.tick(app)
    assert len(said(app)) == 4


def test_every_trouble_has_a_name_for_its_end(app: App) -> None:
    down = [("slack", "r", False, NOON), ("matrix", "r", True, NOON)]
    names = {t.name.partition(" ")[0] for t in alerts.of_platforms(down, NOON + timedelta(days=1))}
    names |= {*alerts.STUCK, "clock", "disk", "closed", "identity"}
    for language in ("fr", "en"):
        assert {f"alert.name.{name}" for name in names} <= set(app.world.catalogues.keys(language))
