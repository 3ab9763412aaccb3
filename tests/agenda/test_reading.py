"""Calendars as Outlook, Google, Nextcloud and the ill-disposed write them; all content is made up."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.agenda import reader, reading
from bot.agenda.reading import Content, Defaults, Read
from bot.errors import UserError
from tests.typed import typed

TODAY = date(2026, 3, 16)
PARIS = Defaults("Europe/Paris")
FOLDER = Path(__file__).parent / "calendars"


def content(raw: bytes, defaults: Defaults = PARIS, today: date = TODAY) -> Content:
    """Read in this process: quicker, and what it promises is the same."""
    found = reader.read(raw, today - reading.BEFORE, today + reading.AHEAD, defaults.zone)
    return reading._content(0, json.dumps(found).encode(), defaults, today + reading.AHEAD)


def of(name: str) -> dict[str, list[Read]]:
    by_title: dict[str, list[Read]] = {}
    for event in content((FOLDER / name).read_bytes()).events:
        by_title.setdefault(event.details.title, []).append(event)
    return by_title


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_outlook_s_zones_series_and_exceptions() -> None:
    found = of("outlook.ics")
    weekly = sorted(found["Réunion de préparation"], key=lambda it: it.instance)
    assert [it.details.when.starts for it in weekly] == [
        utc(2026, 3, 16, 9),
        utc(2026, 3, 23, 9),
        utc(2026, 4, 13, 8),  # summer time; the 6th is left out, the 30th was moved
        utc(2026, 4, 20, 8),
        utc(2026, 4, 27, 8),
    ]
    assert {it.details.when.zone for it in weekly} == {"Europe/Paris"}
    assert weekly[0].details.note == "Ordre du jour :\n\n- point un, imaginaire\n- point deux"
    [moved] = found["Réunion de préparation (déplacée)"]
    assert moved.instance == "2026-03-30T10:00"
    assert moved.details.when.starts == utc(2026, 3, 31, 12)
    [custom] = found["Fuseau sur mesure"]
    assert custom.details.when.starts == utc(2026, 3, 20, 8, 30)
    assert custom.details.visibility == "own"


def test_google_s_floating_times_whole_days_and_states() -> None:
    found = of("google.ics")
    [tentative] = found["Échange sur les frontaliers"]
    assert (tentative.details.state, tentative.details.when.zone) == ("planned", "Europe/Paris")
    assert tentative.stamp == utc(2026, 3, 5)
    [days] = found["Exercice de deux jours"]
    assert (days.details.when.whole_days, days.details.when.last) == (True, date(2026, 5, 2))
    [floating] = found["Heure flottante"]
    assert floating.details.when.starts == utc(2026, 3, 20, 8)
    assert floating.details.when.ends == utc(2026, 3, 20, 8, 45)
    assert floating.details.state == "cancelled"
    daily = sorted(it.details.when.starts for it in found["Point quotidien"])
    assert len(daily) == 9  # ten, less two left out, and one more
    assert daily[0] == utc(2026, 3, 22, 7, 30)
    assert daily[-1] == utc(2026, 4, 10, 15, 30)


def test_bad_folding_and_old_encodings() -> None:
    [event] = [it for events in of("nextcloud.ics").values() for it in events]
    assert event.details.title == "Comité franco-belge imaginairé de la frontière"
    assert event.details.note == "Une phrase\nqui va à la ligne sans le dire"
    assert event.details.links == ("https://example.org/ordre-du-jour",)
    assert (event.details.when.zone, event.details.when.starts) == ("Europe/Brussels", utc(2026, 3, 19, 8))
    assert list(of("windows-1252.ics")) == ["Préparation de l’été"]
    assert list(of("utf-16.ics")) == ["Réunion large"]


def test_the_hostile_costs_itself_alone_and_little_time() -> None:
    began = time.monotonic()
    found = reading.read((FOLDER / "hostile.ics").read_bytes(), PARIS, TODAY)
    spent = time.monotonic() - began
    titles = {typed(it.details.title): it.details for it in found.events}
    assert {"chaque seconde", "jamais", "à l'envers", "sans nom"} <= set(titles)
    assert {"des siècles", "date impossible", "sans date"}.isdisjoint(titles)
    assert ("seconds", "too_often") in found.problems
    assert titles["à l'envers"].when.starts == titles["à l'envers"].when.ends
    hostile = titles["<b>@channel</b> [lien](javascript:alert) *gras*"]
    assert (hostile.links, hostile.organisers, hostile.visibility) == ((), (), "network")
    assert spent < 6  # of an idle machine's two seconds; several share this one


def test_each_rule_without_an_end_is_cut_off() -> None:
    for rule in (
        "SECONDLY",
        "SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "MINUTELY",
        "HOURLY;BYYEARDAY=400",
        "DAILY;BYMONTHDAY=31;BYMONTH=2",
    ):
        text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260318T130000Z\nRRULE:FREQ={rule}\nEND:VEVENT\nEND:VCALENDAR\n"
        began = time.process_time()
        found = reading.read(text.encode(), PARIS, TODAY)
        assert time.process_time() - began < 2
        assert len(found.events) <= 1


@pytest.mark.parametrize("raw", [b"", b"hello", b"<html>no</html>", b"\xff\xfe\x00", b"BEGIN:VCARD\nEND:VCARD\n"])
def test_what_is_no_calendar_is_told_so(raw: bytes) -> None:
    with pytest.raises(UserError) as told:
        content(raw)
    assert told.value.text.key == "agenda.ics.no_calendar"


def test_a_calendar_that_is_too_big_is_not_read() -> None:
    with pytest.raises(UserError) as told:
        reading.read(b"x" * (reading.BYTES + 1), PARIS, TODAY)
    assert told.value.text.key == "agenda.ics.too_big"


_SOUND = [path.read_bytes() for path in sorted(FOLDER.glob("*.ics")) if path.name != "hostile.ics"]
_LINES = sorted({line for raw in _SOUND for line in raw.splitlines(keepends=True)})


@settings(max_examples=60)
@given(st.data())
def test_calendars_that_were_damaged_never_break_the_reader(data: st.DataObject) -> None:
    lines = list(data.draw(st.sampled_from(_SOUND)).splitlines(keepends=True))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                del lines[at]
                lines = lines or [b""]
            case 1:
                lines.insert(at, data.draw(st.sampled_from(_LINES)))
            case 2:
                lines[at] = data.draw(st.binary(max_size=60)) + b"\n"
            case _:
                cut = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + data.draw(st.binary(max_size=3)) + lines[at][cut:]
    try:
        found = content(b"".join(lines))
    except UserError:
        return
    for event in found.events:
        assert event.details.title
        assert event.details.when.starts <= event.details.when.ends
        assert event.uid
        event.details.title.encode()
