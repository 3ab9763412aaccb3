"""Coordinators let the agenda follow calendars from chat: hosts that are allowed, addresses that are never shown."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.agenda.tables import Calendar
from bot.db import Database
from config.settings import AgendaSettings, Settings
from tests.agenda.conftest import people
from tests.stories.people import alone
from tests.stories.scene import Scene, scene

URL = "https://calendars.example.org/p7Xq.ics"


@pytest.fixture
async def play(shipped: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    shipped.run_now(lambda session: people(session, tmp_path))
    settings = Settings(agenda=AgendaSettings(feeds=("calendars.example.org",)))
    async with scene(shipped, platform="slack", settings=settings) as play:
        yield play


async def test_a_coordinator_follows_and_leaves_a_calendar(play: Scene) -> None:
    me = alone(play, "U0COORD")
    await me.say(f"agenda abonner <{URL}|{URL}>")
    shown = me.sees("calendars.example.org")
    assert "p7Xq" not in me.transcript()
    row = play.app.database.run_now(lambda s: s.get_one(Calendar, 1))
    assert (row.url, row.organisation, row.due_at) == (URL, "ministere-dcis", play.clock())
    await me.say(f"agenda abonner {URL}")
    me.sees("déjà suivi (numéro 1)")
    await me.click(shown, "Les calendriers suivis")
    await me.click(me.sees("Calendriers suivis : 1"), "Ne plus suivre calendars.example.org")
    me.sees("n’est plus suivi")
    await me.say("agenda calendriers")
    me.sees("Aucun calendrier n’est suivi")


async def test_others_and_other_hosts_are_refused(play: Scene) -> None:
    me, coordinator = alone(play), alone(play, "U0COORD")
    for line in (f"abonner {URL}", "calendriers", "désabonner 1"):
        await me.say(f"agenda {line}")
    assert play.app.database.run_now(lambda s: s.get(Calendar, 1)) is None
    me.sees_not("Calendriers suivis")
    for line in ("abonner https://elsewhere.example.org/a.ics", "abonner http://calendars.example.org/a.ics"):
        await coordinator.say(f"agenda {line}")
        coordinator.sees("n’est pas admise")
    await coordinator.say("agenda abonner")
    coordinator.sees("Donnez l’adresse d’un calendrier")
    await coordinator.say("agenda désabonner 7")
    coordinator.sees("Aucun calendrier 7 n’est suivi")
