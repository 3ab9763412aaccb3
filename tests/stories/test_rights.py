"""Every cell of the table of rights, as its page says it, by doing it: who may does; who may not is told, and audited."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from bot.audit.tables import Content
from bot.db import Database
from bot.directory import identity
from bot.directory import rights as grants
from bot.directory.tables import Person
from bot.directory.visibility import FIELDS, Owned, sees
from bot.rights import RIGHTS, TABLE, Scope, may
from scripts.rights_table import PAGE, page
from tests.stories.scene import Scene, scene
from tests.stories.trials import ELSEWHERE, Cell, Trial, Which, acting, people
from tests.stories.tried import tried


def cells(action: str) -> list[Cell]:
    """Return the cells of an act, as the page shows them."""
    found: list[Cell] = []
    for line in PAGE.read_text("utf-8").splitlines():
        columns = [column.strip() for column in line.strip("|").split("|")]
        if columns[0] == action:
            _, scope, *marks = columns
            found += [(scope, right, mark == "✓") for right, mark in zip(RIGHTS, marks, strict=True)]  # type: ignore[misc]
    return found


def every(found: list[Cell]) -> list[Cell]:
    return found


def borders(found: list[Cell]) -> list[Cell]:
    """Keep, of each scope, the least right that may and the greatest that may not: the others lie beyond these."""
    kept: dict[tuple[Scope, bool], Cell] = {}
    for scope, right, allowed in found:
        if not allowed or (scope, True) not in kept:
            kept[scope, allowed] = (scope, right, allowed)
    return list(kept.values())


WHICH = [borders, pytest.param(every, marks=pytest.mark.proof)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(new_url: Callable[[str], str]) -> AsyncIterator[Trial]:
    database = Database(new_url("sqlite"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with scene(database) as play:
            made = Trial(play, monkeypatch)
            await made.begin()
            yield made
    database.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("action", TABLE)
async def test_each_cell_by_doing_it(trial: Trial, action: str, which: Which, subtests: pytest.Subtests) -> None:
    assert cells(action)
    for scope, right, allowed in which(cells(action)):
        with subtests.test(scope=scope, right=right):
            assert await tried(action)(trial, scope, acting(scope, right)) == allowed


def test_the_page_is_what_the_code_says() -> None:
    assert page() == PAGE.read_text("utf-8"), "run `make rights`"


def test_what_is_not_in_the_table_is_denied() -> None:
    assert not may(set(RIGHTS), "question.burn", "own", "asker", "recipient")
    assert not may(set(), "event.see", "seen")
    assert not may({"administrator"}, "note.keep")  # not theirs, and no scope says `any`


def test_every_move_that_people_make_has_its_row() -> None:
    from bot.questions.moves import TABLE as LIFE

    for rule in LIFE:
        if rule.who != "clock":
            assert rule.who in TABLE[f"question.{rule.kind}"], rule


@pytest.mark.parametrize("kind", ["organisation", "person"])
def test_each_field_as_the_page_shows_it(kind: str) -> None:
    shown = {name: marks for name, *marks in _rows() if name.startswith(f"{kind}.") and len(marks) == len(RIGHTS)}
    assert set(shown) == {f"{kind}.{field}" for field in FIELDS[kind]}
    for name, marks in shown.items():
        for right, mark in zip(RIGHTS, marks, strict=True):
            actor = acting("any", right)
            row = Owned(kind, "all", {"somebody"})
            assert sees(actor, row, name.partition(".")[2]) == (mark == "✓"), (name, right)
            assert not sees(None, row, name.partition(".")[2])


def _rows() -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in PAGE.read_text("utf-8").splitlines()]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("which", WHICH)
async def test_each_command_is_heard_from_its_right_on(trial: Trial, which: Which, subtests: pytest.Subtests) -> None:
    rows = {name: marks for name, *marks in _rows() if name in trial.play.app.world.commands and len(marks) == 5}
    assert set(rows) == {command.name for command in trial.play.app.world.commands.values()}
    for name, marks in rows.items():
        unheard = select(func.count()).where(Content.content.contains(f'"use {name}"'))
        for _, right, heard in which([("any", right, mark == "✓") for right, mark in zip(RIGHTS, marks, strict=True)]):
            with subtests.test(command=name, right=right):
                before = trial.run(lambda s, q=unheard: s.scalar(q))
                await trial.invoke(acting("any", right), f"{name} ", trial.rooms[ELSEWHERE])
                assert (trial.run(lambda s, q=unheard: s.scalar(q)) == before) == heard


async def test_a_grant_holds_from_the_next_command_on(play: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    consulate = play.link("consulat-francfort")
    play.app.database.run_now(people)
    agent = consulate.as_("agent")
    monkeypatch.setattr(identity, "person_of", lambda s, _: s.get(Person, "agent-a"))
    await agent.invoke("annuaire", "à confirmer")
    consulate.sees("coordinat")
    play.app.database.run_now(lambda s: grants.grant(s, "agent-a", "coordinator"))
    await agent.invoke("annuaire", "à confirmer")
    consulate.sees("à confirmer")
    play.app.database.run_now(lambda s: grants.revoke(s, "agent-a", "coordinator"))
    before = len(consulate.posts)
    await agent.invoke("annuaire", "à confirmer")
    assert "coordinat" in consulate.posts[before].text
