"""Write `config/routing/confidence.toml`: from when on a decision is relied on. `python -m scripts.learn_confidence`.

The labelled questions of `dev_{questions,rules,hard_questions}.csv` in `tests/routing/corpus` are
read by models that were taught none of those they judge. Where they lead to one organisation, a logistic regression
weighs what is known of that (`bot/routing/sureness.py`) against whether it was right. The margin is the lowest
probability from which as many recipients are right as must be, on probabilities that came from regressions which had
not seen the question either. The same input gives the same file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.routing.answers import options
from bot.routing.confidence import SHOWN, dump
from bot.routing.decide import route, understood
from bot.routing.model import Question
from bot.routing.rules import Rules
from bot.routing.sureness import leads, organisations_of, shown
from bot.routing.teaching import FOLDS, fold
from tests.routing.evaluate import ON, accepted, crossed
from tests.routing.shipped import directory, rules

RIGHT = 0.965
"""How often a recipient must be right where the bot routes alone.

The aim is 97 %, which in November 2026 would ask back a third of these questions: here three of four go alone.
"""
_PENALTY = 1.0
_STEPS = 30
_HOW = (
    "Written by scripts/learn_confidence.py from the labelled questions of tests/routing/corpus; never by hand.",
    "`learnt`, `lexicon`, `lexicon_short`: chosen among a few by cross-validation on the same questions.",
)
CORPUS = Path(__file__).resolve().parent.parent / "tests" / "routing" / "corpus"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Led:
    """A question that leads to one organisation: what is known of that, and whether it is right."""

    text: str
    shown: tuple[float, ...]
    right: bool


def main() -> None:
    """Learn, and say what was reached."""
    known = rules()
    found = list(led([CORPUS / f"dev_{file}.csv" for file in ("questions", "rules", "hard_questions")], known))
    inputs, right = np.array([it.shown for it in found]), np.array([float(it.right) for it in found])
    folds = np.array([fold(it.text) for it in found])
    sure = np.zeros(len(found))
    for number in range(FOLDS):
        apart = folds == number
        sure[apart] = probabilities(fitted(inputs[~apart], right[~apart]), inputs[apart])
    margin = lowest(sure, right)
    bias, *weights = (round(float(it), 3) for it in fitted(inputs, right))
    confidence = replace(known.confidence, bias=bias, weights=tuple(weights), margin=margin)
    routed = sure >= margin
    count = f"{int(right[routed].sum())} of {int(routed.sum())} right, of {len(found)}"
    reached = f"Cross-validated: from {margin} on, {count}."
    Path(str(files("config") / "routing" / "confidence.toml")).write_text(dump(confidence, (*_HOW, reached)), "utf-8")
    print(reached, dict(zip(SHOWN, weights, strict=True)))


def led(files: Iterable[Path], known: Rules) -> Iterator[Led]:
    """Yield the questions of some files that no hard rule answers and that lead abroad to one organisation."""
    for row, apart in crossed(files, known):
        question = Question(row["text"], row["from"] or None)
        if route(question, apart, directory(), ON).decision in {"refuse", "advise"}:
            continue
        case = understood(question, apart, directory(), ON)
        found = list(options(case, (case.best,)))
        if case.direction == "to_post" and len(organisations_of(found)) == 1:
            right = accepted(found[0].charge.recipient, row["recipients_ok"].split())
            yield Led(row["text"], shown(case, found[0], leads(case)), right)


def fitted(inputs: Array, right: Array) -> Array:
    """Return bias and weights of a logistic regression, by Newton's method; weights are kept small."""
    table = np.column_stack((np.ones(len(inputs)), inputs))
    penalty = np.diag([0.0, *[_PENALTY] * inputs.shape[1]])
    weights = np.zeros(table.shape[1])
    for _ in range(_STEPS):
        sure = probabilities(weights, inputs)
        curve = (table.T * (sure * (1 - sure))) @ table + penalty
        weights -= np.linalg.solve(curve, table.T @ (sure - right) + penalty @ weights)
    return weights


def probabilities(weights: Array, inputs: Array) -> Array:
    """Return how probably each is right."""
    return 1 / (1 + np.exp(-(weights[0] + inputs @ weights[1:])))


def lowest(sure: Array, right: Array) -> float:
    """Return the lowest probability, in hundredths, from which as many are right as must be."""
    for margin in np.arange(0.5, 1.0, 0.01):
        routed = sure >= margin
        if routed.any() and right[routed].mean() >= RIGHT:
            return round(float(margin), 2)
    return 0.99


if __name__ == "__main__":
    main()
