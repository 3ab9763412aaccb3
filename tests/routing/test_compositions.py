"""The rules that come before any score hold for questions composed of families of words, however they are typed."""

from random import Random

import pytest

from bot.routing.spelling import plain
from tests.routing.composed import REGISTERS, called_by, frames, typed

SEED = 20261123
FEW = 6
"""So many sentences of each frame are tried in every run."""
ENOUGH = 0.97


def test_a_sample_of_what_is_composed_calls_its_rule() -> None:
    random = Random(SEED)
    tried = [(frame, text) for frame in frames() for text in frame.some(random, FEW)]
    wrong = [(frame.rule, text) for frame, text in tried if called_by(text, frame.asker) != frame.rule]
    assert len(wrong) <= (1 - ENOUGH) * len(tried), (SEED, wrong)


def test_a_register_changes_how_a_text_is_typed_and_nothing_else() -> None:
    text = "Un homme se noie à Figueras, que faire ?"
    assert {register: typed(text, register) for register in REGISTERS} == {
        "written": text,
        "plain": "un homme se noie a figueras, que faire ?",
        "shouted": text.upper(),
        "short": "un homme se noie a figueras, q faire ?",
    }
    assert plain(typed(text, "shouted")).isascii()


@pytest.mark.proof
@pytest.mark.parametrize("register", REGISTERS)
def test_all_that_is_composed_calls_its_rule(register: str) -> None:
    right = total = 0
    for frame in frames():
        if register != "written" and frame.only_as_written:
            continue
        for text in frame.all():
            total += 1
            right += called_by(typed(text, register), frame.asker) == frame.rule
    assert right >= ENOUGH * total, f"{right} of {total}"
