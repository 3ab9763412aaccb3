"""Whatever people do, in whatever order, with whatever clocks and crashes: the life of a question is as its model says."""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stories.life import Life

SEED = int(os.environ.get("TEST_SEED", "0"))
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture)
QUICK = settings(max_examples=3, stateful_step_count=20, deadline=None, suppress_health_check=SLOW)
WHOLE = settings(QUICK, max_examples=20, stateful_step_count=40)
PIECES = range(6)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_life_is_as_the_model_says(new_url: Callable[[str], str], kind: str) -> None:
    _live(new_url, kind, QUICK, SEED)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("piece", PIECES)
def test_many_lives_are_as_the_model_says(new_url: Callable[[str], str], kind: str, piece: int) -> None:
    _live(new_url, kind, WHOLE, SEED * len(PIECES) + piece)


def _live(new_url: Callable[[str], str], kind: str, how: settings, drawn: int) -> None:
    @seed(drawn)
    class There(Life):
        def fresh(self) -> str:
            return new_url(kind)

    run_state_machine_as_test(There, settings=how)
