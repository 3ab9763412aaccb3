"""A fake Slack that loses patience quickly, for each test of it."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.fake_slack.bolt import QUICK
from tests.fakes.slack import FakeSlack


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(settings=QUICK) as fake:
        yield fake
