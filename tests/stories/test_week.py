"""A whole week of a consulate, as the documentation shows it."""

from collections.abc import Callable

from bot.db import Database
from tests.stories.week import FOLDER, week


async def test_the_week_is_as_the_documentation_shows(new_url: Callable[[str], str]) -> None:
    database = Database(new_url("sqlite"))
    diary = await week(database)
    database.close()
    assert diary.page == FOLDER.with_suffix(".md").read_text("utf-8"), "`python -m tests.stories.week` writes it anew"
    for name, drawn in diary.pictures.items():
        assert drawn == (FOLDER / name).read_text("utf-8"), name
    assert diary.chart.startswith(b"\x89PNG")
