"""The table of moves: what the documentation says of it is true, and it has no dead ends."""

from pathlib import Path

import pytest

from bot.questions.moves import OPEN, TABLE, offered


def test_the_documentation_shows_the_table() -> None:
    lines = [line for line in Path("docs/questions.md").read_text().splitlines() if line.startswith("| ")]
    shown = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[1:]]
    assert shown == [
        (rule.kind, rule.who, " ".join(rule.before), rule.after or "—", rule.button or "—") for rule in TABLE
    ]


@pytest.mark.parametrize("state", ["asked_back", "routed", "taken", "answered", "closed", "cancelled", "merged"])
def test_from_every_state_its_asker_can_go_on(state: str) -> None:
    assert any(rule.who == "asker" and state in rule.before for rule in TABLE)


@pytest.mark.parametrize("state", OPEN)
def test_no_move_is_offered_twice(state: str) -> None:
    for who in ("asker", "recipient", "clock"):
        buttons = [rule.button for rule in offered(who, state)]
        assert len(buttons) == len(set(buttons))


def test_one_rule_decides() -> None:
    seen = [(rule.kind, rule.who, state) for rule in TABLE for state in rule.before]
    assert len(seen) == len(set(seen)), "where two rules fit, nobody knows which holds"
