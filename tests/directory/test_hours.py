"""Opening hours: open now, or when it opens; on the days, holidays and clocks of the place."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.absences import Away, stand_in
from bot.directory.holidays import Place
from bot.directory.hours import parse, spans, state
from bot.search.vcard import vcard

BAVARIA = Place("DE", "BY")
WEEK = "Mo-Th 08:30-12:30,14:00-17:00; Fr 08:30-12:30; PH off"


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("hours", "now", "open_", "until"),
    [
        (WEEK, "2026-11-23T09:00", True, "2026-11-23T12:30"),
        (WEEK, "2026-11-23T12:30", False, "2026-11-23T14:00"),
        (WEEK, "2026-11-27T15:00", False, "2026-11-30T08:30"),
        (WEEK, "2026-12-24T18:00", False, "2026-12-28T08:30"),  # Christmas is a Friday
        ("Mo-Fr 09:00-17:00", "2026-05-01T10:00", False, "2026-05-04T09:00"),  # nothing said of holidays
        ("24/7", "2026-05-01T10:00", True, None),
        ("Mo-Su,PH 00:00-24:00", "2026-05-01T10:00", True, None),
        ("Mo-Fr 09:00-17:00; PH 10:00-11:00", "2026-05-01T10:30", True, "2026-05-01T11:00"),
        ("Mo-Fr 22:00-02:00", "2026-11-24T01:00", True, "2026-11-24T02:00"),
        ("Mo-Fr 22:00-26:00", "2026-11-24T01:00", True, "2026-11-24T02:00"),
        ("Su-Th 08:00-15:00", "2026-11-27T09:00", False, "2026-11-29T08:00"),
        ("Mo 08:00-12:00, We 14:00-16:00", "2026-11-23T13:00", False, "2026-11-25T14:00"),
        ("Mo-Fr 09:00-17:00; Jul-Aug 09:00-12:00", "2026-07-18T10:00", True, "2026-07-18T12:00"),
        ("Mo-Fr 09:00-17:00; Dec 24-Jan 02 off", "2026-12-29T10:00", False, "2027-01-04T09:00"),
        ("Mo-Fr 9:00-17:00; We off", "2026-11-25T10:00", False, "2026-11-26T09:00"),
        ('Mo-Fr 09:00-12:00 "sur rendez-vous"', "2026-11-23T09:00", True, "2026-11-23T12:00"),
        ("off", "2026-11-23T09:00", False, None),
    ],
)
def test_it_is_open_or_opens_at(hours: str, now: str, open_: bool, until: str | None) -> None:
    known = parse(hours)
    assert known is not None
    found = state(known, "Europe/Berlin", BAVARIA.is_holiday, at(now))
    assert (found.open, found.until) == (open_, at(until).astimezone(UTC) if until else None)


@pytest.mark.parametrize(
    "text",
    ["", "sunrise-sunset", "Mo-Fr 25:00-26:00", "lundi 9h", "Mo 10:00-9:99", "PH-Mo off", "week 3 Mo", "x" * 9_999],
)
def test_what_is_not_understood_whole_is_not_used(text: str) -> None:
    assert parse(text) is None


@given(st.text(alphabet="MoTuWeThFrSaPHJanDec 0123456789:-,;+/of", max_size=60))
def test_reading_hours_never_raises_and_periods_are_in_order(text: str) -> None:
    known = parse(text)
    if known is not None:
        found = list(spans(known, "Europe/Paris", lambda _: False, at("2026-03-27T00:00"), at("2026-04-02T00:00")))
        assert all(start <= end for start, end in found)
        state(known, "Europe/Paris", lambda _: False, at("2026-03-27T00:00"))


def test_a_skipped_hour_begins_after_it() -> None:
    known = parse("Su 02:30-04:00")
    assert known is not None
    (night,) = spans(known, "Europe/Paris", lambda _: False, at("2026-03-29T00:00"), at("2026-03-29T12:00"))
    assert night == (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC))


def test_holidays_and_weekends_are_those_of_the_place() -> None:
    assert Place("FR", "57").holiday(date(2026, 12, 26)) is not None
    assert Place("FR", "54").holiday(date(2026, 12, 26)) is None
    assert Place("FR", "971").holiday(date(2026, 5, 27)) is not None
    assert Place("DE", "BY").is_holiday(date(2026, 1, 6))
    assert not Place("DE", "BE").is_holiday(date(2026, 1, 6))
    assert Place("SA").is_weekend(date(2026, 11, 27))
    assert not Place("SA").is_weekend(date(2026, 11, 29))
    assert Place("ZZ").holiday(date(2026, 12, 25)) is None
    assert Place("", "").is_weekend(date(2026, 11, 28))


def test_stand_ins_are_followed_and_loops_refused() -> None:
    absent = {
        "a": Away(None, "b"),
        "b": Away(None, "c"),
        "d": Away(None, "e"),
        "e": Away(None, "d"),
        "f": Away(None, None),
    }
    assert [stand_in(person, absent) for person in "abcdef"] == ["c", "c", "c", None, None, None]
    assert stand_in("z", absent) == "z"


@given(st.text(max_size=200))
def test_a_vcard_is_valid_whatever_a_name_holds(name: str) -> None:
    lines = vcard(name, [("TEL", ["+33 1"]), ("EMAIL", [""]), ("ADR", ["", "", name])]).split("\n")
    assert lines[0] == "BEGIN:VCARD"
    assert lines[-1] == "END:VCARD"
    assert all(len(line.encode("utf-8", "replace")) <= 75 for line in lines)
    assert not any(line.startswith("EMAIL") for line in lines)
