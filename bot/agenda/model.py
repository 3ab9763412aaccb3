"""An event as a value: what it is, when, where, whom it concerns. The row (`bot.agenda.tables`) keeps the same."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.worktime.wall import resolved

KINDS = ("visit", "commission", "training", "posting", "exercise", "deadline", "holiday", "other")
STATES = ("planned", "confirmed", "moved", "cancelled")
VISIBILITIES = ("all", "network", "own")  # everybody served, the network's members, those who organise or are invited

TITLE = 200  # characters
NOTE = 2_000
PLACE = 200
LINKS = 10
LINK = 500
LISTED = 50  # countries, territories, bodies or organisers of one event
LONGEST = timedelta(days=3_660)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class When:
    """Two instants in UTC, the end left out, and the zone they were meant in.

    Whole days are the same days in every zone: they begin and end at midnight as UTC has it, whatever the zone.
    """

    starts: datetime
    ends: datetime
    zone: str
    whole_days: bool = False

    @classmethod
    def days(cls, first: date, last: date, zone: str) -> "When":
        """Return whole days, the last included."""
        return cls(_midnight(first), _midnight(last) + _DAY, zone, whole_days=True)

    @property
    def last(self) -> date:
        """The last of whole days."""
        return max(self.starts, self.ends - _DAY).date()

    def day(self, zone: str) -> date:
        """Return the day on which it begins for somebody in a zone."""
        return self.starts.date() if self.whole_days else self.starts.astimezone(ZoneInfo(zone)).date()

    def last_day(self, zone: str) -> date:
        """Return the last day that it touches for somebody in a zone."""
        if self.whole_days:
            return self.last
        final = max(self.starts, self.ends - timedelta(microseconds=1))
        return final.astimezone(ZoneInfo(zone)).date()

    def begins(self, zone: str) -> datetime:
        """Return the instant at which it begins for somebody in a zone: whole days begin at their midnight."""
        return resolved(self.starts.date(), time(), zone) if self.whole_days else self.starts

    def over(self, zone: str) -> datetime:
        """Return the instant at which it is over for somebody in a zone."""
        return resolved(self.ends.date(), time(), zone) if self.whole_days else self.ends


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of an event, whoever said it. Countries are ISO 3166-1; territories, bodies, organisers are ids."""

    title: str
    when: When
    kind: str = "other"
    place: str = ""
    note: str = ""
    countries: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    organisers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    visibility: str = "network"
    state: str = "confirmed"
    title_en: str = ""  # the title in English, where the bot found the words; empty: it is as somebody wrote it


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
