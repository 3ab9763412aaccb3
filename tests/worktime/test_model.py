"""The engine says what a clock on the wall says, read minute by minute, in every zone there is trouble with."""

import os
import random
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.worktime.calendar import Calendar, Exceptional, after, between, is_open, next_opening, openings
from bot.worktime.holidays import Place
from bot.worktime.hours import parse
from tests.worktime import slow

MINUTE = timedelta(minutes=1)
SHORT = timedelta(days=9)  # around a moment, in `make test`

OFFICE = ((8 * 60 + 30, 12 * 60 + 30), (14 * 60, 17 * 60))
NIGHT = ((90, 195), (22 * 60, 26 * 60 + 30))  # where clocks are changed, and past midnight
NONE: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Pattern:
    """The same hours, written for the engine and for the model."""

    osm: str
    week: slow.Week


PATTERNS = (
    Pattern("Mo-Fr 08:30-12:30,14:00-17:00", slow.Week([OFFICE] * 5 + [NONE] * 2)),
    Pattern("Su-Th 08:30-12:30,14:00-17:00; PH off", slow.Week([OFFICE] * 4 + [NONE] * 2 + [OFFICE])),
    Pattern("Mo-Su,PH 01:30-03:15,22:00-26:30", slow.Week([NIGHT] * 7, holidays_close=False)),
    Pattern("24/7", slow.Week([((0, 1440),)] * 7, holidays_close=False)),
    Pattern("Mo-We,Sa 23:59-00:01", slow.Week([((1439, 1441),)] * 3 + [NONE] * 2 + [((1439, 1441),), NONE])),
)

ZONES = {  # zone: (country, subdivision, first of three years): clock changes at midnight, by half an hour, none, twice a year
    "Europe/Paris": ("FR", "57", 2024), "America/Cayenne": ("FR", "973", 2024), "America/Martinique": ("FR", "972", 2024),
    "America/Miquelon": ("FR", "975", 2024), "Indian/Reunion": ("FR", "974", 2024), "Indian/Mayotte": ("FR", "976", 2024),
    "Pacific/Noumea": ("FR", "NC", 2024), "Pacific/Tahiti": ("FR", "PF", 2024), "Pacific/Marquesas": ("FR", "PF", 2024),
    "Pacific/Wallis": ("FR", "WF", 2024), "Europe/Berlin": ("DE", "BY", 2024), "Europe/Brussels": ("BE", "", 2024),
    "Europe/Luxembourg": ("LU", "", 2024), "Europe/Zurich": ("CH", "GE", 2024), "Europe/Rome": ("IT", "TO", 2024),
    "Europe/Madrid": ("ES", "CT", 2024), "Atlantic/Canary": ("ES", "CN", 2024), "Europe/Andorra": ("AD", "", 2024),
    "Europe/Monaco": ("MC", "", 2024), "Europe/London": ("GB", "ENG", 2024), "Europe/Dublin": ("IE", "", 2024),
    "Atlantic/Azores": ("PT", "20", 2024), "Europe/Athens": ("GR", "", 2024), "Europe/Istanbul": ("TR", "", 2015),
    "Europe/Kyiv": ("UA", "", 2024), "Europe/Moscow": ("RU", "", 2010), "Africa/Cairo": ("EG", "", 2022),
    "Asia/Beirut": ("LB", "", 2022), "Asia/Gaza": ("PS", "", 2023), "Asia/Jerusalem": ("IL", "", 2024),
    "Asia/Damascus": ("SY", "", 2021), "Asia/Amman": ("JO", "", 2021), "Asia/Tehran": ("IR", "", 2021),
    "Asia/Kabul": ("AF", "", 2024), "Asia/Dubai": ("AE", "", 2021), "Asia/Riyadh": ("SA", "", 2024),
    "Asia/Kolkata": ("IN", "DL", 2024), "Asia/Kathmandu": ("NP", "", 2024), "Asia/Yangon": ("MM", "", 2024),
    "Asia/Pyongyang": ("KP", "", 2014), "Asia/Tokyo": ("JP", "", 2024), "Asia/Shanghai": ("CN", "", 2024),
    "Africa/Casablanca": ("MA", "", 2024), "Africa/El_Aaiun": ("EH", "", 2025), "Africa/Algiers": ("DZ", "", 2024),
    "Africa/Dakar": ("SN", "", 2024), "Africa/Juba": ("SS", "", 2020), "Africa/Windhoek": ("NA", "", 2016),
    "America/New_York": ("US", "NY", 2024), "America/Havana": ("CU", "", 2024), "America/St_Johns": ("CA", "NL", 2009),
    "America/Santiago": ("CL", "", 2024), "America/Asuncion": ("PY", "", 2022), "America/Caracas": ("VE", "", 2015),
    "America/Sao_Paulo": ("BR", "SP", 2017), "America/Port-au-Prince": ("HT", "", 2015),
    "Australia/Lord_Howe": ("AU", "NSW", 2024), "Pacific/Chatham": ("NZ", "CIT", 2024),
    "Pacific/Apia": ("WS", "", 2010), "Antarctica/Troll": ("NO", "", 2024),
}  # fmt: skip


def _compare(zone: str, pattern: Pattern, walls: slow.Walls, since: datetime, draw: random.Random) -> None:
    """Compare every minute from an instant on, and questions drawn among them."""
    country, subdivision, _ = ZONES[zone]
    place, hours = Place(country, subdivision), parse(pattern.osm)
    assert hours is not None
    shut = walls[len(walls) // 2][0]
    calendar = Calendar(hours, zone, place, (Exceptional(shut, shut + timedelta(days=1)),))
    model = slow.worked(walls, pattern.week, place.is_holiday, {shut, shut + timedelta(days=1)})
    size, until = len(model), since + len(model) * MINUTE

    found = bytearray(size)
    for began, ended in openings(calendar, since):
        if began >= until:
            break
        first, last = max(0, (began - since) // MINUTE), min(size, (ended - since) // MINUTE)
        assert not any(found[first:last]), f"{zone}: twice at {began}"
        found[first:last] = b"\1" * (last - first)
    wrong = (
        [since + index * MINUTE for index in range(size) if found[index] != model[index]]
        if bytes(found) != model
        else []
    )
    assert not wrong, f"{zone}, {pattern.osm}: {wrong[0]} and {len(wrong)} minutes in all"

    worked = [index for index in range(size) if model[index]]
    for _ in range(20):
        first, last = sorted(draw.sample(range(size), 2))
        at = since + first * MINUTE
        assert is_open(calendar, at) == bool(model[first])
        before, count = bisect_left(worked, first), bisect_left(worked, last) - bisect_left(worked, first)
        assert between(calendar, at, since + last * MINUTE) == count * MINUTE
        if before < len(worked):
            assert next_opening(calendar, at) == since + worked[before] * MINUTE
        if count:
            assert after(calendar, at, count * MINUTE) == since + (worked[before + count - 1] + 1) * MINUTE


def changes(zone: str, year: int) -> list[datetime]:
    """Return instants at which the clocks of a zone are changed in three years."""
    local, at = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    found: list[datetime] = []
    while at.year < year + 3:
        if at.astimezone(local).utcoffset() != (at + timedelta(hours=6)).astimezone(local).utcoffset():
            found.append(at)
        at += timedelta(hours=6)
    return found


def test_a_sample_of_minutes() -> None:
    """Some days in a few zones, around a change of the clocks where there is one."""
    draw = random.Random(os.environ.get("TEST_SEED", "0"))
    always = ["Pacific/Apia", "Africa/Cairo", "Asia/Kathmandu"]
    for zone in always + draw.sample(sorted(ZONES), 3):
        year = ZONES[zone][2]
        moments = changes(zone, year) or [datetime(year, 1, 1, tzinfo=UTC) + draw.random() * timedelta(days=1000)]
        middle = draw.choice(moments).replace(minute=0, second=0, microsecond=0)
        walls = slow.minutes(zone, middle - SHORT / 2, middle + SHORT / 2)
        for pattern in draw.sample(PATTERNS, 2):
            _compare(zone, pattern, walls, middle - SHORT / 2, draw)


@pytest.mark.proof
@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_of_three_years(zone: str) -> None:
    draw = random.Random(os.environ.get("TEST_SEED", "0") + zone)
    year = ZONES[zone][2]
    since = datetime(year, 1, 1, tzinfo=UTC)
    walls = slow.minutes(zone, since, datetime(year + 3, 1, 1, tzinfo=UTC))
    for pattern in PATTERNS:
        _compare(zone, pattern, walls, since, draw)


def test_there_are_sixty_zones_and_each_trouble_is_among_them() -> None:
    assert len(ZONES) == 60
    assert sum(not changes(zone, ZONES[zone][2]) for zone in ZONES) >= 10, "zones whose clocks are never changed"
    assert date(2011, 12, 30).year - ZONES["Pacific/Apia"][2] in range(3), "a day that Samoa skipped"
