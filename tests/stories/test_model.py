"""Whatever people do, in whatever order, with whatever crashes: the life of a question is as its model says."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stories.life import Life

SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture)
QUICK = settings(max_examples=4, stateful_step_count=25, deadline=None, suppress_health_check=SLOW)
WHOLE = settings(QUICK, max_examples=150, stateful_step_count=50)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_life_is_as_the_model_says(new_url: Callable[[str], str], kind: str) -> None:
    _live(new_url, kind, QUICK)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_lives_are_as_the_model_says(new_url: Callable[[str], str], kind: str) -> None:
    _live(new_url, kind, WHOLE)


def _live(new_url: Callable[[str], str], kind: str, how: settings) -> None:
    class There(Life):
        def fresh(self) -> str:
            return new_url(kind)

    run_state_machine_as_test(There, settings=how)
