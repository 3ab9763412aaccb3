"""A wall time as an instant: of a time that clocks show twice the first, of one that they skip the first after it."""

from datetime import UTC, date, datetime, time

import pytest

from bot.worktime.wall import resolved


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        ("Europe/Paris", "2026-03-28", "02:30", "2026-03-28T01:30"),
        ("Europe/Paris", "2026-03-29", "02:30", "2026-03-29T01:00"),  # skipped: 03:00 comes after 01:59
        ("Europe/Paris", "2026-10-25", "02:30", "2026-10-25T00:30"),  # twice: before the clocks go back
        ("America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30"),  # twice
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00"),  # a day without midnight
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),  # twice, half an hour apart
        ("Pacific/Apia", "2011-12-30", "08:00", "2011-12-30T10:00"),  # a day that was left out
    ],
)
def test_times_around_changes_of_clocks(zone: str, day: str, at: str, instant: str) -> None:
    found = resolved(date.fromisoformat(day), time.fromisoformat(at), zone)
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)
