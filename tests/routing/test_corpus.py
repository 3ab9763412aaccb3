"""How good routing is on labelled questions that were written without a look at the code, its words or its answers.

`dev_*.csv` are learnt from: they are judged by models that were taught none of the questions judged (`--crossed`), and
keep what was reached. `held_out.csv` and `rules.csv` are measured, never learnt from.
"""

from pathlib import Path

import pytest

from tests.routing.evaluate import Figure, Judged, confusions, figures, judge, judge_crossed
from tests.routing.shipped import directory, rules

CORPUS = Path(__file__).parent / "corpus"
REACHED = {  # the share that is kept, beside the aim
    "topic, first": (0.90, 0.90),
    "topic, among three": (0.97, 0.98),
    "countries exactly": (0.98, 0.98),
    "routed alone, where it should be": (0.77, 0.80),
    "recipient right when routed alone": (0.96, 0.97),
    "hard rules": (0.92, 1.0),
    "no rule where none applies": (0.98, 0.99),
}

BY_RULE = {"hard rules": (0.91, 1.0), "no rule where none applies": (0.87, 0.99)}
"""The same of the file that holds what calls a hard rule, and what most looks like it."""

BOTH = [("questions", REACHED), ("rules", BY_RULE)]


UNSEEN = {  # of questions by an author who saw nothing of this, which nothing learns from
    "topic, first": (0.87, 0.90),
    "topic, among three": (0.96, 0.98),
    "countries exactly": (0.945, 0.98),
    "routed alone, where it should be": (0.71, 0.80),
    "recipient right when routed alone": (0.94, 0.97),
    "hard rules": (0.75, 1.0),
    "no rule where none applies": (0.97, 0.99),
}
UNSEEN_BY_RULE = {"hard rules": (0.84, 1.0), "no rule where none applies": (0.9, 0.99)}


def below(judged: list[Judged], reached: dict[str, tuple[float, float]]) -> list[str]:
    found = figures(judged)
    return [str(found[name]) for name, (kept, _) in reached.items() if found[name].share < kept]


@pytest.mark.proof
@pytest.mark.parametrize(("file", "reached"), BOTH, ids=["all", "rules"])
def test_what_was_reached_is_kept(file: str, reached: dict[str, tuple[float, float]]) -> None:
    judged = judge_crossed(CORPUS / f"dev_{file}.csv", rules(), directory())
    assert below(judged, reached) == [], confusions(judged)


@pytest.mark.parametrize(("file", "reached"), BOTH, ids=["all", "rules"])
def test_what_was_learnt_is_known(file: str, reached: dict[str, tuple[float, float]]) -> None:
    judged = judge(CORPUS / f"dev_{file}.csv", rules(), directory())
    assert below(judged, reached) == [], confusions(judged)


@pytest.mark.proof
@pytest.mark.parametrize(("file", "reached"), [("held_out", UNSEEN), ("rules", UNSEEN_BY_RULE)])
def test_what_holds_for_questions_never_seen(file: str, reached: dict[str, tuple[float, float]]) -> None:
    assert below(judge(CORPUS / f"{file}.csv", rules(), directory()), reached) == []


def test_a_figure_tells_its_margins() -> None:
    low, high = Figure("", 90, 100).margins
    assert low == pytest.approx(0.826, abs=0.001)
    assert high == pytest.approx(0.945, abs=0.001)
    assert Figure("", 0, 0).share == 1.0
    assert "90 of 100" in str(Figure("x", 90, 100))
