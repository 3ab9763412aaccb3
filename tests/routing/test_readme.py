"""The README's table of questions is true."""

import re
from datetime import date
from pathlib import Path

import pytest

from bot.routing.decide import route
from bot.routing.model import Question
from tests.routing.shipped import directory, rules

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
ROW = re.compile(r"^\| `(?P<asker>[\w-]+)` \| (?P<text>[^|]+) \| (?P<where>[^|]+) \| (?P<why>[^|]+) \|$", re.MULTILINE)
ROWS = [match.groupdict() for match in ROW.finditer(README)]


def test_there_are_ten() -> None:
    assert len(ROWS) == 10


@pytest.mark.parametrize("row", ROWS, ids=[row["text"][:40] for row in ROWS])
def test_a_question_goes_where_the_table_says(row: dict[str, str]) -> None:
    found = route(Question(row["text"].strip(), row["asker"]), rules(), directory(), date(2026, 11, 23))
    said = re.findall(r"`([\w-]+)`", row["where"])
    match found.decision:
        case "route":
            assert found.recipient is not None
            assert said == [found.recipient.organisation]
        case "ask":
            assert found.question_back is not None
            assert said == [choice.recipient.organisation for choice in found.question_back.choices]
        case "advise":
            assert said == [found.advice_to] + ([found.recipient.organisation] if found.recipient else [])
        case "refuse":
            assert said == ["refuse"]
