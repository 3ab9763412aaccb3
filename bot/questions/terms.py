"""By when an answer is expected and what happens while none comes: `config/deadlines.toml`, read once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from bot.errors import ConfigurationError
from bot.worktime.hours import parse

Rung: TypeAlias = Literal["stand_in", "head", "cdpr", "coordinator"]
RUNGS: tuple[Rung, ...] = ("stand_in", "head", "cdpr", "coordinator")

_KEYS = {
    "answer": None,  # topics
    "urgent": ("answer", "escalate"),
    "ladder": ("steps", "escalate"),
    "silence": ("warn", "close"),
    "night": ("hours",),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """Spans of working time, but those of what is urgent and of silence, which pass day and night."""

    answer: Mapping[str, timedelta]  # by topic; "default" for the others
    escalate: timedelta  # between the deadline and the first step of the ladder, and from step to step
    urgent_answer: timedelta
    urgent_escalate: timedelta
    ladder: tuple[Rung, ...]
    warn: timedelta  # of silence, before the asker is warned
    close: timedelta  # after the warning
    hours: str  # of an organisation that says none, outside its weekend

    def span(self, topic: str | None, *, urgent: bool) -> timedelta:
        """Return how much time an answer may take."""
        return self.urgent_answer if urgent else self.answer.get(topic or "default", self.answer["default"])

    def step(self, *, urgent: bool) -> timedelta:
        """Return how much time lies between two steps of the ladder."""
        return self.urgent_escalate if urgent else self.escalate

    @classmethod
    def load(cls, file: Traversable, topics: tuple[str, ...]) -> "Terms":
        """Read the file. Raises ConfigurationError that names the key, its value and what was expected."""
        table = tomllib.loads(file.read_text("utf-8"))
        _known(table, topics)
        answer = {topic: _span("answer", topic, value, "hours") for topic, value in table["answer"].items()}
        hours = table["night"]["hours"]
        if not isinstance(hours, str) or parse(hours) is None:
            raise _wrong("night.hours", hours, "opening hours in OpenStreetMap's syntax")
        return cls(
            answer=MappingProxyType(answer),
            escalate=_span("ladder", "escalate", table["ladder"]["escalate"], "hours"),
            urgent_answer=_span("urgent", "answer", table["urgent"]["answer"], "hours"),
            urgent_escalate=_span("urgent", "escalate", table["urgent"]["escalate"], "hours"),
            ladder=_ladder(table["ladder"]["steps"]),
            warn=_span("silence", "warn", table["silence"]["warn"], "days"),
            close=_span("silence", "close", table["silence"]["close"], "days"),
            hours=hours,
        )


def _known(table: Mapping[str, Any], topics: tuple[str, ...]) -> None:
    """Complain about sections and keys that are missing or that mean nothing."""
    for section in table:
        if section not in _KEYS:
            raise _wrong(section, table[section], f"one of {', '.join(_KEYS)}")
    for section, keys in _KEYS.items():
        if not isinstance(table.get(section), dict):
            raise _wrong(section, table.get(section), "a section")
        found = cast("dict[str, object]", table[section])
        for key in keys or ("default",):
            if key not in found:
                raise _wrong(f"{section}.{key}", None, "a value")
        for key in found:
            if key not in (keys or ("default", *topics)):
                raise _wrong(f"{section}.{key}", found[key], "a known key")


def _span(section: str, key: str, value: object, unit: Literal["hours", "days"]) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10_000:
        raise _wrong(f"{section}.{key}", value, f"a number of {unit}")
    return timedelta(hours=value) if unit == "hours" else timedelta(days=value)


def _ladder(value: object) -> tuple[Rung, ...]:
    by_name: Mapping[object, Rung] = {rung: rung for rung in RUNGS}
    steps = cast("list[object]", value) if isinstance(value, list) else []
    found: tuple[Rung, ...] = tuple(by_name[step] for step in steps if isinstance(step, str) and step in by_name)
    if not isinstance(value, list) or len(found) != len(steps) or len(set(found)) != len(found):
        raise _wrong("ladder.steps", steps, f"a list of {', '.join(RUNGS)}, each once at most")
    return found


def _wrong(key: str, value: object, expected: str) -> ConfigurationError:
    return ConfigurationError(f"config/deadlines.toml: {key}: {value!r}; expected {expected}")
