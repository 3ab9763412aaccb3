"""Rhythms fall where a clock on the wall, read minute by minute, says so: in every zone there is trouble with."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.digests.rhythm import Occurrence, Rhythm, after, latest
from bot.worktime.holidays import Place
from tests.digests import slow as model
from tests.worktime import slow
from tests.worktime.test_model import ZONES, changes

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SINCE = date(2010, 1, 7)  # a Thursday


@dataclass(frozen=True)
class Pair:
    """A rhythm, and its rule for the model."""

    rhythm: Rhythm
    rule: model.Rule


@dataclass(frozen=True)
class Span:
    """Minutes from an instant on, and when the wall shows some times in them."""

    since: datetime
    minutes: int
    shown: Sequence[model.Due]


def pairs(*times: time) -> tuple[Pair, ...]:
    """The same rules, written for the engine and for the model."""

    def of(rule: model.Rule, **said: object) -> Pair:
        return Pair(Rhythm(times, **said), rule)  # type: ignore[arg-type]

    return (
        of(model.daily),
        of(model.weekday(0), weekdays=frozenset({0})),
        of(model.weekday(4, 5), weekdays=frozenset({4, 5})),
        of(model.works, working=True),
        of(model.dated(1, 15), dates=frozenset({1, 15})),
        of(model.dated(30), dates=frozenset({30})),
        of(model.dated(-1), dates=frozenset({-1})),
        of(model.nth(-1, model.weekday(4)), weekdays=frozenset({4}), which=frozenset({-1})),
        of(model.nth(3, model.weekday(6)), weekdays=frozenset({6}), which=frozenset({3})),
        of(model.nth(1, model.works), working=True, which=frozenset({1})),
        of(model.every(2, SINCE, model.weekday(1)), weekdays=frozenset({1}), every=2, since=SINCE),
        of(model.free(model.weekday(0)), weekdays=frozenset({0}), without_holidays=True),
        of(lambda day, _: (day - SINCE).days % 3 == 0, every=3, unit="day", since=SINCE),
        of(
            lambda day, _: day.day == 1 and (day.month - SINCE.month) % 3 == 0,
            dates=frozenset({1}),
            every=3,
            unit="month",
            since=SINCE,
        ),
    )


def walls_of(zone: str, since: datetime, until: datetime) -> list[datetime]:
    """What the clock on the wall shows at each minute between two instants."""
    return [
        datetime.combine(day, time(*divmod(minute, 60)))
        for day, shown in slow.minutes(zone, since, until)
        for minute in shown
    ]


def chained(rhythm: Rhythm, since: datetime, until: datetime, zone: str, place: Place) -> list[Occurrence]:
    """Ask for the next occurrence again and again, as the clockwork does."""
    found: list[Occurrence] = []
    at = since
    while (it := after(rhythm, at, zone, place)) is not None and it.instant < until:
        assert it.instant > at
        found.append(it)
        at = it.instant
    return found


def compare(zone: str, pair: Pair, span: Span, draw: random.Random) -> int:
    """Compare all occurrences of a span, and questions drawn from it; return how many occurrences there were."""
    country, subdivision, _ = ZONES[zone]
    place, since, until = Place(country, subdivision), span.since, span.since + span.minutes * MINUTE
    expected = [it for it in span.shown if pair.rule(it.day, place)]
    found = chained(pair.rhythm, since, until, zone, place)
    at_once = {it.instant: it for it in expected}  # of times that one jump skips, the last stands for all
    assert {it.instant for it in found} == set(at_once), (zone, pair.rhythm)
    labels = {(it.day, it.at) for it in expected}
    assert all((it.day, it.at) in labels for it in found), (zone, pair.rhythm)
    for _ in range(10):
        at = since + draw.randrange(span.minutes) * MINUTE
        past = [it for it in expected if it.instant <= at]
        last = latest(pair.rhythm, at, zone, place)
        if past:
            assert last is not None, (zone, at)
            assert (last.day, last.at, last.instant) == (past[-1].day, past[-1].at, past[-1].instant), (zone, at)
        else:
            assert last is None or last.instant <= since, (zone, at)
    return len(expected)


def test_a_sample_of_zones_and_days() -> None:
    draw = random.Random(os.environ.get("TEST_SEED", "0"))
    for zone in ["Pacific/Apia", "Africa/Cairo", "Europe/Paris", *draw.sample(sorted(ZONES), 6)]:
        year = ZONES[zone][2]
        moments = changes(zone, year) or [datetime(year, 1, 1, tzinfo=UTC) + draw.random() * 1000 * DAY]
        middle = draw.choice(moments).replace(minute=0, second=0, microsecond=0)
        since = middle - 20 * DAY
        walls = walls_of(zone, since, middle + 20 * DAY)
        times = [time(hour, minute) for hour, minute in ((0, 0), (0, 30), (2, 30), (8, 0), (23, 45))]
        for chosen in (draw.sample(times, 1), times[:4]):
            span = Span(since, len(walls), model.shown(walls, since, chosen))
            for pair in draw.sample(pairs(*chosen), 5):
                compare(zone, pair, span, draw)


def test_every_minute_of_the_days_on_which_clocks_change() -> None:
    draw = random.Random(os.environ.get("TEST_SEED", "0"))
    for zone in ["Pacific/Apia", draw.choice(sorted(zone for zone in ZONES if changes(zone, ZONES[zone][2])))]:
        around(zone, draw.choice(changes(zone, ZONES[zone][2])))


def around(zone: str, change: datetime) -> None:
    """A digest a day at each of the 1,440 minutes, over the days around a change."""
    since = change.replace(minute=0, second=0, microsecond=0) - 2 * DAY
    country, subdivision, _ = ZONES[zone]
    place, until = Place(country, subdivision), since + 4 * DAY
    walls = walls_of(zone, since, until)
    times = [time(minute // 60, minute % 60) for minute in range(1440)]
    expected: dict[time, dict[datetime, date]] = {at: {} for at in times}
    for it in model.shown(walls, since, times):
        expected[it.at][it.instant] = it.day
    for at in times:
        found = {it.instant: it.day for it in chained(Rhythm((at,)), since, until, zone, place)}
        missing = {instant for instant in expected[at] if instant not in found}
        assert set(found) == set(expected[at]), (zone, at, missing)


@pytest.mark.parametrize(
    ("before", "then"), [("Etc/GMT-1", "Etc/GMT-2"), ("Etc/GMT-2", "Etc/GMT-1"), ("Asia/Kolkata", "UTC")]
)
@pytest.mark.parametrize("minutes", [-181, -61, -60, -30, -1, 0, 1, 30, 59, 60, 61, 300])
def test_new_rules_of_a_zone_double_and_miss_nothing(before: str, then: str, minutes: int) -> None:
    """The rules change some minutes from when a digest is due; what was said is known by its local day and time."""
    rhythm, place = Rhythm((time(8),)), Place("FR")
    began = datetime(2026, 3, 10, 12, tzinfo=UTC)
    changes_at = after(rhythm, began + 3 * DAY, before, place)
    assert changes_at is not None
    change = changes_at.instant + minutes * MINUTE
    said: list[date] = []
    at = began
    while at < began + 8 * DAY:
        found = latest(rhythm, at, before if at < change else then, place)
        if found is not None and found.instant > began and found.day not in said:
            said.append(found.day)
        at += 5 * MINUTE
    assert said == [date(2026, 3, 11) + n * DAY for n in range(8)]


@pytest.mark.proof
@pytest.mark.parametrize("zone", ZONES)
def test_three_years_of_every_rhythm(zone: str) -> None:
    """In the zone's own three years; and a digest at every minute of the days around each change of its clocks."""
    draw = random.Random(os.environ.get("TEST_SEED", "0") + zone)
    year = ZONES[zone][2]
    since = datetime(year, 1, 1, tzinfo=UTC)
    walls = walls_of(zone, since, datetime(year + 3, 1, 1, tzinfo=UTC))
    count = 0
    for times in ((time(0),), (time(0, 30),), (time(2, 30),), (time(8),), (time(3), time(13, 45), time(23, 59))):
        span = Span(since, len(walls), model.shown(walls, since, times))
        count += sum(compare(zone, pair, span, draw) for pair in pairs(*times))
    for change in changes(zone, year):
        around(zone, change)
    print(f"{zone}: {count} occurrences, {len(changes(zone, year))} changes of the clock")
