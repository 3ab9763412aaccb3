"""Calendars out: events as RFC 5545 has them, in instants of UTC or whole days, which every program shows alike.

What the format has no property for stands in `X-PASSERELLE-…`, so that what was written is read back as it was.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.agenda.model import Details
from bot.directory.vcard import escaped, folded

DOMAIN = "passerelle"
HOURS = 4  # until a subscriber looks again

_STATUS = {"planned": "TENTATIVE", "cancelled": "CANCELLED"}
_CLASS = {"own": "PRIVATE"}
_INSTANT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be written: under a name that never changes, with the number and instant of its last change."""

    uid: str
    sequence: int
    changed_at: datetime
    details: Details


def written(name: str, entries: Iterable[Entry]) -> str:
    """Return a calendar. The same entries give the same text."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Passerelle//Agenda//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        f"NAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:PT{HOURS}H",
        f"X-PUBLISHED-TTL:PT{HOURS}H",
    ]
    for entry in entries:
        lines += _event(entry)
    lines += ["END:VCALENDAR", ""]
    return "\r\n".join(piece for line in lines for piece in folded(line))


def _event(entry: Entry) -> Iterator[str]:
    details = entry.details
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(entry.uid)}"
    yield f"DTSTAMP:{_at(entry.changed_at)}"
    yield f"LAST-MODIFIED:{_at(entry.changed_at)}"
    yield f"SEQUENCE:{entry.sequence}"
    yield from _when(details)
    yield f"SUMMARY:{_text(details.title)}"
    yield f"STATUS:{_STATUS.get(details.state, 'CONFIRMED')}"
    yield f"CLASS:{_CLASS.get(details.visibility, 'PUBLIC')}"
    yield f"TRANSP:{'TRANSPARENT' if details.when.whole_days else 'OPAQUE'}"
    told = {
        "LOCATION": details.place,
        "DESCRIPTION": details.note,
        "X-PASSERELLE-KIND": details.kind,
        "X-PASSERELLE-STATE": details.state,
        "X-PASSERELLE-VISIBILITY": details.visibility,
        "X-PASSERELLE-COUNTRIES": " ".join(details.countries),
        "X-PASSERELLE-TERRITORIES": " ".join(details.territories),
        "X-PASSERELLE-BODIES": " ".join(details.bodies),
        "X-PASSERELLE-ORGANISERS": " ".join(details.organisers),
        "X-PASSERELLE-LINKS": " ".join(details.links),
        "X-PASSERELLE-ZONE": details.when.zone,
    }
    for name, value in told.items():
        if value:
            yield f"{name}:{_text(value)}"
    if details.links:
        yield f"URL:{_uri(details.links[0])}"
    yield "END:VEVENT"


def _when(details: Details) -> Iterator[str]:
    when = details.when
    if when.whole_days:
        yield f"DTSTART;VALUE=DATE:{when.starts:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{max(when.ends, when.starts + timedelta(days=1)):%Y%m%d}"
    else:
        yield f"DTSTART:{_at(when.starts)}"
        if when.ends > when.starts:
            yield f"DTEND:{_at(when.ends)}"


def _at(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime(_INSTANT)


def _text(value: str) -> str:
    return escaped("".join(c for c in value.replace("\r\n", "\n").replace("\r", "\n") if c >= " " or c in "\n\t"))


def _uri(value: str) -> str:
    return "".join(c for c in value if c > " ")
