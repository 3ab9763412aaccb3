"""The calendars that the libraries carry as samples: read without a crash, with the occurrences that they themselves find.

Their wheels hold the samples of their source distributions.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from bot.agenda import ics, reader, reading
from bot.agenda.model import Details, When
from bot.agenda.reading import Defaults

THEIRS = [Path(package.__path__[0]) for package in (icalendar, recurring_ical_events)]
SAMPLES = sorted(path for folder in THEIRS for path in folder.rglob("*.ics"))
REPEATED = [path for path in SAMPLES if "recurring_ical_events" in path.parts]
ZONE = "Europe/Paris"
DAY, SPAN = timedelta(days=1), timedelta(days=400)
COMPARED = 75  # of those that the parser carries and in which something occurs, at least


def test_there_are_as_many_as_they_ship() -> None:
    assert len(SAMPLES) >= 250
    assert len(REPEATED) >= 90


@pytest.mark.parametrize("folder", THEIRS, ids=lambda folder: folder.name)
def test_none_breaks_the_reader(folder: Path) -> None:
    """Whatever stands in them, there are events, or a sentence; and soon."""
    began = time.process_time()
    readable = 0
    for path in SAMPLES:
        if folder not in path.parents:
            continue
        raw = path.read_bytes()
        found = reader.read(raw, date(2019, 1, 1), date(2020, 3, 1), ZONE)
        if not found["understood"]:
            continue  # a component by itself: it is told to be no calendar
        content = reading._content(0, json.dumps(found).encode(), Defaults(ZONE), date(2020, 3, 1))
        readable += 1
        for event in content.events:
            assert event.uid, path.name
            assert event.details.when.starts <= event.details.when.ends, path.name
    assert readable >= 60
    assert time.process_time() - began < 10


def first_day(calendar: Any) -> date | None:
    starts = [event["DTSTART"].dt for event in calendar.walk("VEVENT") if event.get("DTSTART")]
    days = [start.date() if isinstance(start, datetime) else start for start in starts]
    return min(days, default=None)


def instant(value: date, zone: str) -> str:
    return reader._instant(value, zone).isoformat() if isinstance(value, datetime) else value.isoformat()


def until(occurrences: Iterable[tuple[str, str]], day: date) -> Counter[tuple[str, str]]:
    """Count those that begin before a day: single events are kept however late they are."""
    return Counter(it for it in occurrences if it[1] < day.isoformat())


@pytest.mark.parametrize("path", REPEATED, ids=lambda path: path.name)
def test_occurrences_are_theirs(path: Path) -> None:
    raw = path.read_bytes()
    calendar: Any = icalendar.Calendar.from_ical(raw)
    first = first_day(calendar)
    if first is None:
        assert reader.read(raw, date(2019, 1, 1), date(2020, 3, 1), ZONE)["events"] == []
        return
    try:
        theirs = found_by_them(calendar, first)
    except recurring_ical_events.InvalidCalendar:  # they refuse all of it; here such a series counts once
        found, ours = found_here(raw, first)
        assert [it["reason"] for it in found["problems"]] == ["bad_rule"]
        assert sum(ours.values()) == 1
        return
    assert found_here(raw, first)[1] == theirs


def test_occurrences_of_the_parser_s_own_samples_are_theirs_wherever_they_can_tell() -> None:
    """Many show what is broken: of these their libraries find none, or raise whatever it may be."""
    compared = 0
    for path in sorted({*SAMPLES} - {*REPEATED}):
        try:
            calendar: Any = icalendar.Calendar.from_ical(path.read_bytes())
            first = first_day(calendar)
            theirs = found_by_them(calendar, first) if first is not None else None
        except Exception:  # what their libraries make of it is theirs to say
            continue
        if first is None or theirs is None:
            continue
        assert found_here(path.read_bytes(), first)[1] == theirs, path.name
        compared += bool(theirs)
    assert compared >= COMPARED


def found_by_them(calendar: Any, first: date) -> Counter[tuple[str, str]]:
    last = first + SPAN
    events: Any = recurring_ical_events.of(calendar).between(first - DAY, last)
    own = str(calendar.get("X-WR-TIMEZONE", ZONE))
    return until(((reader._text(it.get("SUMMARY")), instant(it["DTSTART"].dt, own)) for it in events), last)


def found_here(raw: bytes, first: date) -> tuple[dict[str, Any], Counter[tuple[str, str]]]:
    last = first + SPAN
    found = reader.read(raw, first - DAY, last, ZONE)
    return found, until(((it["summary"], it["starts"]) for it in found["events"]), last)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120).filter(str.strip)


@given(
    title=_TEXT,
    note=_TEXT,
    starts=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
        lambda at: at.replace(microsecond=0, tzinfo=UTC)
    ),
    minutes=st.integers(1, 5_000),
    sequence=st.integers(0, 1_000),
)
def test_what_is_exported_is_read_back_by_another_parser(
    title: str, note: str, starts: datetime, minutes: int, sequence: int
) -> None:
    when = When(starts, starts + timedelta(minutes=minutes), ZONE)
    details = Details(title, when, note=note, place="Strasbourg, « Kehl »; \\ ailleurs", state="cancelled")
    text = ics.written("Agenda", [ics.Entry("e-1@passerelle", sequence, starts, details)])
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar: Any = icalendar.Calendar.from_ical(text)
    [event] = calendar.walk("VEVENT")
    assert (str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"])) == (
        "e-1@passerelle",
        sequence,
        "CANCELLED",
    )
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (when.starts, when.ends)
    assert str(event["SUMMARY"]) == title
    assert str(event["DESCRIPTION"]) == note
    assert str(event["LOCATION"]) == details.place
