"""The reader of calendars (RFC 5545), a program of its own: `python reader.py SINCE UNTIL ZONE < calendar.ics`.

Calendars come from anywhere, and a rule of one line can describe more seconds than the universe has. So they are read
in a process that holds nothing, may use so much time and memory, and imports nothing of the bot. It prints JSON:
`name`, `method`, `events` (each an occurrence that touches the span), `problems` (series that were not understood
whole), `more` (whether a series goes on after the span).
"""

import json
import re
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import FrameType
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

MEMORY = 768 * 1024**2  # bytes of address space
CPU = 20  # seconds for all of it
SERIES = 0.25  # seconds of work for one series
GIVEN_UP = 4  # series that took longer, after which no other is repeated
OCCURRENCES = 1_000  # of one series
EVENTS = 20_000  # of one calendar
COMPONENTS = 30_000

_WORD = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_TZID = re.compile(r";TZID=(\"[^\"]*\"|[^:;\"]*)(?=[:;])", re.IGNORECASE)
_UID = re.compile(r"^UID(?:;[^:]*)?:(.*)$", re.IGNORECASE | re.MULTILINE)
_NESTED = re.compile(
    r"^BEGIN:(VALARM|PARTICIPANT|VLOCATION|VRESOURCE)\s*$.*?^END:\1\s*$\n?", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_UNUSED = re.compile(
    r"^(?:ATTENDEE|ORGANIZER|ATTACH|IMAGE|X-ALT-DESC|X-APPLE-STRUCTURED-LOCATION|CONFERENCE)[;:].*\n?",
    re.IGNORECASE | re.MULTILINE,
)
_RULES = re.compile(r"^(?:RRULE|RDATE|EXDATE|EXRULE)[;:].*\n", re.IGNORECASE | re.MULTILINE)
_TEXTS = ("summary", "location", "description", "status", "class", "url", "categories")
_LONGEST = 4_000  # characters of a text


class TooLong(BaseException):
    """A series took longer than it may; no library catches this."""


def main() -> None:
    """Read standard input."""
    since, until, zone = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    signal.signal(signal.SIGVTALRM, _stop)
    found = read(sys.stdin.buffer.read(), date.fromisoformat(since), date.fromisoformat(until), zone)
    json.dump(found, sys.stdout)


def read(raw: bytes, since: date, until: date, zone: str) -> dict[str, Any]:
    """Return what a calendar holds between two days."""
    blocks, heads = _blocks(unfolded(raw))
    zones = {_tzid_of(block): block for kind, block in blocks if kind == "VTIMEZONE"}
    own = _zone_name(heads.get("X-WR-TIMEZONE", "")) or zone
    out: dict[str, Any] = {
        "name": heads.get("X-WR-CALNAME", heads.get("NAME", ""))[:200],
        "method": heads.get("METHOD", "").upper(),
        "understood": "VCALENDAR" in heads,
        "events": [],
        "problems": [],
        "more": False,
    }
    late = 0
    for uid, parts in _by_uid(block for kind, block in blocks if kind == "VEVENT").items():
        if len(out["events"]) >= EVENTS:
            out["problems"].append({"uid": uid, "reason": "too_many"})
            break
        try:
            occurrences, problem, more = _series(uid, parts, zones, (since, until, own), repeat=late < GIVEN_UP)
        except Exception as error:  # whatever is wrong with one series, the others are read
            out["problems"].append({"uid": uid, "reason": "unreadable", "detail": type(error).__name__})
            continue
        late += problem == "too_often"
        out["events"] += occurrences
        out["more"] = out["more"] or more
        if problem:
            out["problems"].append({"uid": uid, "reason": problem})
    return out


def unfolded(raw: bytes) -> list[str]:
    """Return the content lines whole: folding is undone before decoding, since programs fold within a character.

    A line that begins no property continues the words before it: some programs forget to escape a line end. After
    anything but words it is dropped.
    """
    text = _decoded(re.sub(rb"(?:\r\n|\n|\r)[ \t]", b"", raw) if raw[:2] not in (b"\xff\xfe", b"\xfe\xff") else raw)
    lines: list[str] = []
    for line in re.split(r"\r\n|\n|\r", re.sub(r"(?:\r\n|\n|\r)[ \t]", "", text)):
        clean = "".join(c for c in line if c >= " " or c == "\t")
        if _WORD.match(clean) or not lines:
            lines.append(clean.lstrip("\ufeff"))
        elif clean.strip() and _in_text(lines[-1]):
            lines[-1] += f"\\n{clean}"
    return lines


def _decoded(raw: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _in_text(line: str) -> bool:
    return bool(re.match(r"(?:DESCRIPTION|SUMMARY|LOCATION|COMMENT|X-ALT-DESC)[;:]", line, re.IGNORECASE))


def _blocks(lines: Sequence[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return the events and zones of a calendar as texts, and the calendar's own properties."""
    blocks: list[tuple[str, str]] = []
    heads: dict[str, str] = {}
    kind, within = "", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        begins, ends = name.strip().upper() == "BEGIN", name.strip().upper() == "END"
        what = value.strip().upper()
        if kind:
            within.append(line)
            if ends and what == kind:
                if len(blocks) < COMPONENTS:
                    blocks.append((kind, "\n".join(within) + "\n"))
                kind = ""
        elif begins and what in {"VEVENT", "VTIMEZONE"}:
            kind, within = what, [line]
        elif begins and what == "VCALENDAR":
            heads["VCALENDAR"] = ""
        else:
            heads.setdefault(name.split(";")[0].strip().upper(), value.strip())
    return blocks, heads


def _by_uid(blocks: Iterator[str]) -> dict[str, list[str]]:
    """Return the parts of each series; one without a name is known by what it is and when."""
    found: dict[str, list[str]] = {}
    for block in blocks:
        bare = _UNUSED.sub("", _NESTED.sub("", block))
        named = _UID.search(bare)
        uid = named[1].strip() if named is not None else ""
        if not uid:
            said = sorted(re.findall(r"^(?:SUMMARY|DTSTART)[;:].*$", bare, re.IGNORECASE | re.MULTILINE))
            uid = "unnamed:" + "|".join(said)[:150]
            bare = bare.replace("\n", f"\nUID:{uid}\n", 1)
        found.setdefault(uid, []).append(bare)
    return found


def _series(
    uid: str, parts: Sequence[str], zones: dict[str, str], span: tuple[date, date, str], *, repeat: bool
) -> tuple[list[dict[str, Any]], str, bool]:
    """Return the occurrences of one series, what is wrong with it, and whether it goes on."""
    from icalendar import Calendar  # noqa: PLC0415 - with what it brings, a tenth of a second

    since, until, zone = span
    text = _TZID.sub(_renamed, "".join(_newest(parts)))
    needed = "".join(block for name, block in zones.items() if name in text and not _zone_name(name))
    source = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//reader//EN\n{needed}{text}END:VCALENDAR\n"
    repeats = bool(re.search(r"^(?:RRULE|RDATE)[;:]", text, re.IGNORECASE | re.MULTILINE))
    named = repeats or bool(re.search(r"^RECURRENCE-ID[;:]", text, re.IGNORECASE | re.MULTILINE))
    problem = ""
    signal.setitimer(signal.ITIMER_VIRTUAL, SERIES)
    try:
        calendar = Calendar.from_ical(source)
        found, more = _occurrences(calendar, since, until) if repeats and repeat else (None, False)
    except (TooLong, MemoryError):
        found, more, problem = None, False, "too_often"
    except ValueError:  # what repeats it cannot be understood: it counts once
        found, more, problem = None, False, "bad_rule"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if repeats and not problem and (found is None or len(found) > OCCURRENCES):
        problem, found, more = "too_often", None, False
    if found is None:
        bare = Calendar.from_ical(_RULES.sub("", source))
        found = [event for event in bare.events if not (repeats and "RECURRENCE-ID" in event)]
    events = [_event(uid, each, zone, named=named) for each in found if each.get("DTSTART")]
    return [it for it in events if it["ends"][:10] >= since.isoformat()], problem, more


def _occurrences(calendar: Any, since: date, until: date) -> tuple[list[Any], bool]:
    """Return the occurrences that touch a span, and whether there are others after it."""
    import recurring_ical_events  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - a tenth of a second

    query: Any = recurring_ical_events.of(calendar)
    found = query.between(since, until + timedelta(days=1))
    return found, bool(found) and next(iter(query.after(until + timedelta(days=2))), None) is not None


def _newest(parts: Sequence[str]) -> list[str]:
    """Return the parts of a series; of two that are the same occurrence, the one changed last."""
    kept: dict[str, tuple[tuple[int, str], str]] = {}
    for part in parts:
        which = re.search(r"^RECURRENCE-ID[^:]*:(.*)$", part, re.IGNORECASE | re.MULTILINE)
        sequence = re.search(r"^SEQUENCE[^:]*:\s*(\d{1,9})", part, re.IGNORECASE | re.MULTILINE)
        stamp = re.search(r"^(?:LAST-MODIFIED|DTSTAMP)[^:]*:(.*)$", part, re.IGNORECASE | re.MULTILINE)
        age = (int(sequence[1]) if sequence else 0, stamp[1].strip() if stamp else "")
        key = which[1].strip() if which else ""
        if key not in kept or kept[key][0] <= age:
            kept[key] = (age, part)
    return [part for _, part in kept.values()]


def _event(uid: str, component: Any, zone: str, *, named: bool) -> dict[str, Any]:
    start, end = _span(component)
    which = component.get("RECURRENCE-ID")
    whole = not isinstance(start, datetime)
    own = _zone_of(start) or zone
    out: dict[str, Any] = {
        "uid": uid,
        "which": _local(which.dt, own) if named and which is not None else "",
        "whole_days": whole,
        "zone": own,
        "starts": start.isoformat() if whole else _instant(start, zone).isoformat(),
        "ends": end.isoformat() if whole else _instant(end, zone).isoformat(),
        "sequence": _number(component.get("SEQUENCE")),
        "stamp": _stamp(component),
    }
    for name in _TEXTS:
        out[name] = _text(component.get(name))
    for name in component:
        if name.upper().startswith("X-PASSERELLE-"):
            out[name.upper()] = re.sub(r"\\(.)", r"\1", _text(component.get(name)))  # icalendar leaves it escaped
    return out


def _span(component: Any) -> tuple[Any, Any]:
    """Return when it begins and ends: as it says, after its duration, at the end of its day, or at once.

    What contradicts itself is read as `recurring_ical_events` reads it: a day beside a time is its midnight, an end
    that comes first is the start; one that comes more than a day before it is nothing.
    """
    start, end = component["DTSTART"].dt, getattr(component.get("DTEND"), "dt", None)
    length = getattr(component.get("DURATION"), "dt", None)
    if end is None and isinstance(length, timedelta):
        start = start if length % timedelta(days=1) == timedelta(0) else _midnight(start)
        end = start + length
    end = start if end is None else end
    if isinstance(start, datetime) != isinstance(end, datetime):
        start, end = _midnight(start), _midnight(end)
    if isinstance(start, datetime) and (start.tzinfo is None) != (end.tzinfo is None):
        zone = start.tzinfo or end.tzinfo
        start, end = start.replace(tzinfo=zone), end.replace(tzinfo=zone)
    if _comparable(end) < _comparable(start):
        near = _comparable(start) - _comparable(end) <= timedelta(days=1)
        start, end = (end, start) if near else (start, start)
    return start, end if isinstance(start, datetime) else max(end, start + timedelta(days=1))


def _midnight(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _comparable(value: date) -> datetime:
    at = _midnight(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _instant(value: datetime, zone: str) -> datetime:
    """Return an instant; a floating time is one of the calendar's own zone."""
    return (value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _local(value: Any, zone: str) -> str:
    """Return when an occurrence was to be before anybody moved it, in its own zone: its day, and time if it has one."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return (value if value.tzinfo is None else value.astimezone(ZoneInfo(zone))).strftime("%Y-%m-%dT%H:%M")


def _zone_of(value: Any) -> str:
    zone = getattr(value, "tzinfo", None)
    return _zone_name(getattr(zone, "key", "") or "")


def _renamed(found: re.Match[str]) -> str:
    name = found[1].strip('"')
    known = _zone_name(name)
    return f";TZID={known}" if known else f';TZID="{name}"'


def _zone_name(name: str) -> str:
    """Return the IANA name that a zone is called by a program, empty where it is another one."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415 - with icalendar

    bare = name.strip().strip('"')
    if bare in WINDOWS_TO_OLSON:
        bare = WINDOWS_TO_OLSON[bare]
    tails = ("/".join(bare.split("/")[-parts:]) for parts in (2, 3, 1))
    return next((tail for tail in tails if tail in _ZONES and tail not in _NOWHERE), "")


_ZONES = available_timezones()
_NOWHERE = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Universal"})  # instants, of no place's time


def _tzid_of(block: str) -> str:
    found = re.search(r"^TZID(?:;[^:]*)?:(.*)$", block, re.IGNORECASE | re.MULTILINE)
    return found[1].strip().strip('"') if found is not None else ""


def _number(value: Any) -> int:
    try:
        return min(max(int(value or 0), 0), 2**31 - 1)
    except (TypeError, ValueError):
        return 0


def _stamp(component: Any) -> str:
    """Return when its source last changed it; when it was sent where it does not say."""
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        value = getattr(component.get(name), "dt", None)
        if isinstance(value, date):
            at = value if isinstance(value, datetime) else datetime.combine(value, time())
            return _instant(at, "UTC").isoformat()
    return ""


def _text(value: Any) -> str:
    """Return the text of a property; the first of those that stand several times."""
    first: Any = next(iter(cast("list[Any]", value)), "") if isinstance(value, list) else value
    several: Any = getattr(first, "cats", None)
    said = ",".join(map(str, several)) if several is not None else str(first or "")
    return "".join(c for c in said[:_LONGEST] if c != "\0" and not "\ud800" <= c <= "\udfff").strip()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


if __name__ == "__main__":
    main()
