"""A whole week of a consulate, as the documentation shows it: on the stage, and on the platforms themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.db import Database
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.week import FOLDER, week
from tests.stories.week_seen import album


async def test_the_week_is_as_the_documentation_shows(new_url: Callable[[str], str]) -> None:
    database = Database(new_url("sqlite"))
    diary = await week(database)
    database.close()
    assert diary.page == FOLDER.with_suffix(".md").read_text("utf-8"), "`python -m tests.stories.week` writes it anew"
    for name, drawn in diary.pictures.items():
        assert drawn == (FOLDER / name).read_text("utf-8"), name
    assert diary.chart.startswith(b"\x89PNG")


@pytest.mark.proof
async def test_the_week_on_slack_is_as_the_documentation_shows(new_url: Callable[[str], str], tmp_path: Path) -> None:
    database = Database(new_url("sqlite"))
    shown = await album(database, tmp_path)
    database.close()
    for name, drawn in shown.pictures.items():
        assert drawn == (FOLDER / name).read_text("utf-8"), "`python -m tests.stories.week_seen` draws it anew"


@pytest.mark.proof
async def test_the_week_on_matrix_is_as_the_documentation_shows(
    new_url: Callable[[str], str], tmp_path: Path, synapse: Synapse, strict: StrictClients
) -> None:
    database = Database(new_url("sqlite"))
    shown = await album(database, tmp_path, (synapse, strict))
    database.close()
    page = (FOLDER / "matrix.md").read_text("utf-8")
    assert "\n".join(shown.pages) == page, "`python -m tests.stories.week_seen` writes it anew"
