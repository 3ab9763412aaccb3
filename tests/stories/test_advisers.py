"""Every region has its diplomatic adviser, or it shows; a year's work is a document."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from bot.directory.current import Current
from bot.directory.tables import Absence, Person, Posting, Right
from bot.documents.reports import of_adviser
from bot.questions.advisers import coverage, held_in, hole, work
from bot.texts import Reader
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import NOON, Place, Scene

TODAY = NOON.date()
REGION = "region-grand-est"


def _held(*spans: tuple[date, date | None]) -> list[Posting]:
    return [Posting(person="a", organisation=REGION, role="cdpr", start=start, end=end) for start, end in spans]


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ((), TODAY),
        (((date(2026, 1, 1), None),), None),
        (((date(2026, 1, 1), date(2026, 4, 30)),), date(2026, 5, 1)),
        (((date(2026, 1, 1), date(2026, 4, 30)), (date(2026, 5, 1), None)), None),
        (((date(2026, 1, 1), date(2026, 4, 30)), (date(2026, 5, 3), None)), date(2026, 5, 1)),
        (((date(2026, 3, 17), None),), TODAY),
        (((date(2025, 1, 1), date(2027, 1, 1)),), None),
    ],
)
def test_a_hole_is_seen_before_it_comes(spans: tuple[tuple[date, date | None], ...], found: date | None) -> None:
    assert hole(_held(*spans), TODAY) == found


def _people(session: Session) -> None:
    for id_ in ("adviser-a", "adviser-b", "coordinator"):
        session.add(Person(id=id_, given_name=id_.title(), family_name="Exemple"))
    session.flush()
    session.add(Posting(person="adviser-a", organisation=REGION, role="cdpr", start=date(2026, 1, 1)))
    session.add(Absence(person="adviser-a", start=TODAY, end=date(2026, 3, 20), stand_in="adviser-b"))
    session.add(Right(person="coordinator", right="coordinator"))


async def test_coverage_load_and_absences(prefecture: Place, play: Scene) -> None:
    adviser = play.link(REGION)
    play.app.database.run_now(_people)
    await prefecture.slash("question", SAARBRUCKEN)
    adviser.sees("Q-2026-00001")
    found = play.app.database.run_now(lambda s: coverage(s, Current().get(s), TODAY, NOON))
    grand_est = next(it for it in found if it.region == REGION)
    assert grand_est.hole is None
    assert grand_est.reached
    assert grand_est.pending == 1
    assert [(it.away, it.stand_in) for it in grand_est.advisers] == [(True, "Adviser-B Exemple")]
    assert found.index(grand_est) == len(found) - 1, "holes come first"
    await prefecture.slash("conseillers")
    prefecture.sees("coordinat")
    prefecture.sees_not("Adviser-A")


async def test_a_years_work_is_a_document(prefecture: Place, play: Scene) -> None:
    adviser = play.link(REGION)
    play.app.database.run_now(_people)
    await prefecture.slash("question", SAARBRUCKEN)
    await adviser.invoke("repondre", "Q-2026-00001 Voyez avec le Standesamt.")
    await prefecture.slash("question", SAARBRUCKEN + " Bis.")
    await prefecture.invoke("rediriger", "Q-2026-00002 " + REGION)
    play.clock.pass_(hours=5)
    await adviser.invoke("repondre", "Q-2026-00002 Oui.")

    def made(session: Session) -> tuple[int, int, list[str], bytes]:
        world = play.app.dispatcher._world
        own, beside = work(session, Current().get(session), REGION, 2026, play.clock())
        names = [name for name, *_ in held_in(session, REGION, 2026)]
        return len(own), beside, names, of_adviser(world, session, Reader(), REGION, 2026, play.clock()).drawn()

    own, beside, names, document = play.app.database.run_now(made)
    assert (own, beside) == (1, 1)
    assert names == ["Adviser-A Exemple"]
    assert document.startswith(b"%PDF")
    assert SAARBRUCKEN[:20].encode() not in document
    again = play.app.database.run_now(made)[3]
    assert again == document, "the same year gives the same document"
    await adviser.slash("rapport", "2026")
    adviser.sees("Rapport 2026")
    assert adviser.sees("📎 rapport-region-grand-est-2026.pdf").to.audience is not None, "for who asked, alone"
    assert list(play.stage.files.values()) == [document]
    for words in ("2026", "2026 grand est"):
        await prefecture.slash("rapport", words)
        prefecture.sees("Seuls la région et les coordinateurs")
    assert len(play.stage.files) == 1
