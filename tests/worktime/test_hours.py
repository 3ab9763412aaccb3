"""Opening hours: open now, or when it opens; on the days, holidays and clocks of the place."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.absences import Away, stand_in
from bot.search.vcard import vcard
from bot.worktime import everyday
from bot.worktime.calendar import Calendar, Exceptional, after, between, next_opening, openings, state, usual
from bot.worktime.holidays import Place
from bot.worktime.hours import parse

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
    found = state(Calendar(known, "Europe/Berlin", BAVARIA), at(now))
    assert (found.open, found.until) == (open_, at(until).astimezone(UTC) if until else None)


@pytest.mark.parametrize(
    "text",
    ["", "sunrise-sunset", "Mo-Fr 25:00-26:00", "lundi 9h", "Mo 10:00-9:99", "PH-Mo off", "week 3 Mo", "x" * 9_999],
)
def test_what_is_not_understood_whole_is_not_used(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("lun-ven 9h-12h, 14h-17h", "Mo-Fr 09:00-12:00,14:00-17:00"),
        ("lun.-jeu. 8 h 30 – 12 h 30 14h-17h ; ven 8h30-12h", "Mo-Th 08:30-12:30,14:00-17:00; Fr 08:30-12:00"),
        ("lundi au jeudi de 9h à 12h30 et de 14h à 17h, ven 9h-12h", "Mo-Th 09:00-12:30,14:00-17:00; Fr 09:00-12:00"),
        ("lun, mar, jeu 9h-12h mercredi fermé", "Mo,Tu,Th 09:00-12:00; We off"),
        ("Dimanche-jeudi 8h-15h; jours fériés fermé", "Su-Th 08:00-15:00; PH off"),
        ("Mon-Fri 9:00-12:00, 14:00-17:00", "Mo-Fr 09:00-12:00,14:00-17:00"),
        ("Mo-Fr 09:00-17:00; Jul-Aug 09:00-12:00", "Mo-Fr 09:00-17:00; Jul-Aug 09:00-12:00"),
        ("24/7", "24/7"),
        ("lun 9h", None),
        ("lun mar 9h-12h", None),
        ("quand il fait beau", None),
        ("", None),
    ],
)
def test_hours_are_read_as_people_type_them(typed: str, read: str | None) -> None:
    assert everyday.read(typed) == read


@given(st.text(alphabet="lundimarvejsoftàh 0123456789:-,;", max_size=60))
def test_what_is_typed_is_read_whole_or_not(text: str) -> None:
    found = everyday.read(text)
    assert found is None or parse(found) is not None


@given(st.text(alphabet="MoTuWeThFrSaPHJanDec 0123456789:-,;+/of", max_size=60))
def test_reading_hours_never_raises_and_periods_are_in_order(text: str) -> None:
    known = parse(text)
    if known is not None:
        calendar = Calendar(known, "Europe/Paris", Place(""))
        found = list(islice(openings(calendar, at("2026-03-27T00:00")), 12))
        assert all(start < end for start, end in found)
        assert all(one[1] <= next_[0] for one, next_ in pairwise(found))
        state(calendar, at("2026-03-27T00:00"))


def test_a_skipped_hour_begins_after_it() -> None:
    known = parse("Su 02:30-04:00")
    assert known is not None
    night = next(openings(Calendar(known, "Europe/Paris", Place("")), at("2026-03-29T00:00")))
    assert night == (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC))


def test_a_post_without_hours_keeps_the_weekend_of_its_place() -> None:
    algiers = usual("08:30-12:30,14:00-17:00", "Africa/Algiers", Place("DZ"))
    thursday = at("2026-11-26T16:30", "Africa/Algiers")
    assert after(algiers, thursday, timedelta(hours=1)) == at("2026-11-29T09:00", "Africa/Algiers")
    assert between(algiers, thursday, at("2026-11-29T09:00", "Africa/Algiers")) == timedelta(hours=1)
    with pytest.raises(ValueError, match="no opening hours"):
        usual("toujours", "Africa/Algiers", Place("DZ"))


def test_a_post_closes_on_its_bridge_days_and_may_work_on_a_holiday() -> None:
    bridge = Exceptional(date(2026, 5, 15), date(2026, 5, 15))  # the day after Ascension
    worked = Exceptional(date(2026, 5, 25), date(2026, 5, 25), open=True)  # Whit Monday
    known = parse("Mo-Fr 09:00-12:00")
    assert known is not None
    paris = Calendar(known, "Europe/Paris", Place("FR"), (bridge, worked))
    found = [began for began, _ in islice(openings(paris, at("2026-05-13T12:00", "Europe/Paris")), 7)]
    assert [day.day for day in found] == [18, 19, 20, 21, 22, 25, 26]


def test_nothing_is_expected_of_an_office_that_is_always_closed() -> None:
    known = parse("off")
    assert known is not None
    closed = Calendar(known, "Europe/Paris", Place("FR"))
    assert next_opening(closed, at("2026-11-26T16:30")) is None
    assert after(closed, at("2026-11-26T16:30"), timedelta(minutes=1)) is None


def test_holidays_and_weekends_are_those_of_the_place() -> None:
    assert Place("FR", "57").holiday(date(2026, 12, 26)) is not None
    easter = Place("FR").holiday(date(2026, 4, 6))
    assert easter == ("Lundi de Pâques", "Easter Monday") == Place("DE").holiday(date(2026, 4, 6))
    assert Place("CH", "GE").holiday(date(2026, 9, 10)) == ("Jeûne genevois", "Genevan Fast")
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
    lines = vcard(name, [("TEL", ["+33 1"]), ("EMAIL", [""]), ("ADR", ["", "", name])]).split("\r\n")
    assert lines[0] == "BEGIN:VCARD"
    assert lines[-2:] == ["END:VCARD", ""]
    assert all(len(line.encode("utf-8", "replace")) <= 75 for line in lines)
    assert not any(line.startswith("EMAIL") for line in lines)
