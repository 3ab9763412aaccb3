"""What changed or vanished in a calendar is recognised, not doubled; what goes out comes back as it was."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda import ics, keeping, publishing, rights, taking
from bot.agenda.model import KINDS, VISIBILITIES, Details, When
from bot.agenda.reading import Defaults
from bot.agenda.tables import Calendar, Event
from bot.agenda.taking import Taken
from bot.db import Database
from bot.directory.identity import OPERATOR
from tests.agenda.test_reading import content

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
OURS = Defaults("Europe/Paris", ours=True)


def vevent(uid: str, start: str, title: str, *more: str) -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART:{start}", f"SUMMARY:{title}", *more, "END:VEVENT", ""])


def calendar(*events: str) -> bytes:
    return ("BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(events) + "END:VCALENDAR\n").encode()


def followed(database: Database, url: str = "https://calendars.example.org/a.ics") -> int:
    def work(session: Session) -> int:
        row = Calendar(url=url, zone="Europe/Paris")
        session.add(row)
        session.flush()
        return row.id

    return database.run_now(work)


def take(database: Database, raw: bytes, feed: int | None = None, now: datetime = NOW) -> Taken:
    found = content(raw, OURS if feed is None else Defaults("Europe/Paris"), now.date())

    def work(session: Session) -> Taken:
        row = session.get_one(Calendar, feed) if feed is not None else None
        return taking.take(session, found, row, now, lambda details: details)

    return database.run_now(work)


def rows(database: Database) -> list[tuple[str, datetime, str]]:
    query = select(Event.title, Event.starts, Event.state).order_by(Event.starts, Event.id)
    return database.run_now(lambda s: [tuple(row) for row in s.execute(query)])  # type: ignore[misc]


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_a_feed_read_again_changes_nothing_and_a_change_is_one(shipped: Database) -> None:
    feed = followed(shipped)
    first = calendar(vevent("a", "20260320T090000Z", "Un"), vevent("b", "20260321T090000Z", "Deux"))
    assert take(shipped, first, feed) == Taken(added=2)
    assert take(shipped, first, feed) == Taken(same=2)
    later = calendar(vevent("a", "20260320T100000Z", "Un"), vevent("b", "20260321T090000Z", "Deux bis"))
    assert take(shipped, later, feed) == Taken(changed=2)
    assert rows(shipped) == [("Un", at(20, 10), "moved"), ("Deux bis", at(21), "confirmed")]
    assert take(shipped, later, feed) == Taken(same=2)  # what moved stays so marked
    assert take(shipped, calendar(vevent("b", "20260321T090000Z", "Deux bis")), feed) == Taken(same=1, cancelled=1)
    assert rows(shipped)[0] == ("Un", at(20, 10), "cancelled")
    assert take(shipped, later, feed) == Taken(changed=1, same=1)  # it is back
    assert len(rows(shipped)) == 2


def test_a_series_that_moves_to_another_hour_or_day_is_not_doubled(shipped: Database) -> None:
    feed = followed(shipped)
    weekly = "RRULE:FREQ=WEEKLY;COUNT=3"
    take(shipped, calendar(vevent("w", "20260317T090000Z", "Point", weekly)), feed)
    assert len(rows(shipped)) == 3
    moved = take(shipped, calendar(vevent("w", "20260318T103000Z", "Point", weekly)), feed)
    assert (moved.added, moved.changed, moved.cancelled) == (0, 3, 0)
    assert [(title, state) for title, _, state in rows(shipped)] == [("Point", "moved")] * 3


def test_a_program_that_names_its_events_anew_at_each_export_doubles_nothing(shipped: Database) -> None:
    feed = followed(shipped)
    take(shipped, calendar(vevent("x1", "20260320T090000Z", "Un"), vevent("x2", "20260321T090000Z", "Deux")), feed)
    again = take(
        shipped, calendar(vevent("y1", "20260320T090000Z", "Un"), vevent("y2", "20260321T090000Z", "Deux")), feed
    )
    assert again == Taken(same=2)
    assert len(rows(shipped)) == 2


def test_a_feed_that_is_empty_all_of_a_sudden_is_looked_at_twice(shipped: Database) -> None:
    feed = followed(shipped)
    take(shipped, calendar(*(vevent(f"e{n}", f"202603{20 + n}T090000Z", f"N{n}") for n in range(5))), feed)
    assert take(shipped, calendar(), feed).doubtful
    assert {state for _, _, state in rows(shipped)} == {"confirmed"}
    shipped.run_now(lambda s: setattr(s.get_one(Calendar, feed), "problem", "agenda.feed.empty"))
    assert take(shipped, calendar(), feed).cancelled == 5


def test_what_is_over_is_not_cancelled_when_a_feed_forgets_it(shipped: Database) -> None:
    feed = followed(shipped)
    both = (vevent("old", "20260310T090000Z", "Hier"), vevent("new", "20260320T090000Z", "Demain"))
    take(shipped, calendar(*both), feed)
    assert take(shipped, calendar(both[1]), feed) == Taken(same=1)


def test_an_older_file_changes_nothing_and_a_newer_one_does(shipped: Database) -> None:
    take(shipped, calendar(vevent("a", "20260320T090000Z", "Deux", "SEQUENCE:2", "DTSTAMP:20260301T000000Z")))
    old = calendar(vevent("a", "20260319T090000Z", "Un", "SEQUENCE:1", "DTSTAMP:20260201T000000Z"))
    assert take(shipped, old) == Taken(same=1)
    new = calendar(vevent("a", "20260320T090000Z", "Trois", "SEQUENCE:3", "STATUS:CANCELLED"))
    assert take(shipped, new) == Taken(changed=1)
    assert rows(shipped) == [("Trois", at(20), "cancelled")]


def test_nobody_s_calendar_touches_another_s_events(shipped: Database) -> None:
    mine = shipped.run_now(
        lambda s: keeping.add(s, OPERATOR, Details("À nous", When(at(20), at(20, 10), "UTC")), NOW).uid
    )
    feed, other = followed(shipped), followed(shipped, "https://calendars.example.org/b.ics")
    take(shipped, calendar(vevent("a", "20260320T090000Z", "Un")), feed)
    claim = calendar(vevent("a", "20260321T090000Z", "Volé"), vevent(mine, "20260321T090000Z", "Volé aussi"))
    assert take(shipped, claim, other) == Taken(foreign=2)
    assert {title for title, _, _ in rows(shipped)} == {"À nous", "Un"}
    event = shipped.run_now(lambda s: s.scalars(select(Event).where(Event.uid == "a")).one())
    assert not rights.may(OPERATOR, "change", event)  # it is changed at its source


_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=80)
_INSTANTS = st.datetimes(datetime(2026, 2, 20), datetime(2027, 3, 1), timezones=st.just(UTC)).map(
    lambda it: it.replace(microsecond=0)
)
_ZONES = st.sampled_from(["Europe/Paris", "America/Cayenne", "Pacific/Noumea", "Asia/Kolkata"])
_DAYS = st.dates(date(2026, 2, 20), date(2027, 3, 1))
_WHENS = st.one_of(
    st.builds(lambda a, m, z: When(a, a + timedelta(minutes=m), z), _INSTANTS, st.integers(0, 5_000), _ZONES),
    st.builds(lambda a, n, z: When.days(a, a + timedelta(days=n), z), _DAYS, st.integers(0, 20), _ZONES),
)
_IDS = st.lists(st.sampled_from(["67", "57", "region-grand-est", "organe-cct", "DE", "LU"]), max_size=3, unique=True)
_DETAILS = st.builds(
    Details,
    title=_TEXTS,
    when=_WHENS,
    kind=st.sampled_from(KINDS),
    place=_TEXTS,
    note=st.lists(_TEXTS, max_size=3).map("\n".join),
    countries=_IDS.map(tuple),
    territories=_IDS.map(tuple),
    bodies=_IDS.map(tuple),
    organisers=_IDS.map(tuple),
    links=st.lists(st.sampled_from(["https://example.org/a,b;c", "https://example.org/x?y=1"]), max_size=2, unique=True).map(tuple),
    visibility=st.sampled_from(VISIBILITIES),
    state=st.sampled_from(["planned", "confirmed", "moved", "cancelled"]),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(_DETAILS, min_size=1, max_size=4))
def test_what_is_written_is_read_back_as_it_was(drawn: list[Details]) -> None:
    kept = [keeping.tidy(details) for details in drawn]
    entries = [ics.Entry(f"u{n}@x", n, NOW, details) for n, details in enumerate(kept)]
    text = ics.written("Essai", entries)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    found = {event.uid: event for event in content(text.encode(), OURS).events}
    for entry in entries:
        assert found[entry.uid].details == entry.details
        assert (found[entry.uid].sequence, found[entry.uid].stamp) == (entry.sequence, NOW)


def test_export_then_import_is_no_change(shipped: Database) -> None:
    series = vevent("w", "20260317T090000Z", "Point", "RRULE:FREQ=WEEKLY;COUNT=3", "LOCATION:Metz")
    take(shipped, calendar(series, vevent("a", "20260320T090000Z", "Un", "STATUS:TENTATIVE")))
    ours = Details("À nous", When.days(date(2026, 4, 1), date(2026, 4, 2), "Europe/Paris"), title_en="Ours")
    shipped.run_now(lambda s: keeping.add(s, OPERATOR, ours, NOW))
    shipped.run_now(lambda s: keeping.add(s, OPERATOR, replace(ours, title="Chiffré"), NOW, sealed=True))

    def export(session: Session) -> str:
        return publishing.exported(session.scalars(select(Event).order_by(Event.id)), "Essai", "—")

    text = shipped.run_now(export)
    before = rows(shipped)
    assert take(shipped, text.encode()) == Taken(same=6)
    assert rows(shipped) == before
    assert (
        shipped.run_now(lambda s: s.scalars(select(Event.title_en).where(Event.title_en != "")).all()) == ["Ours"] * 2
    )
    assert shipped.run_now(export) == text


def test_an_independent_reader_understands_what_goes_out(shipped: Database) -> None:
    from icalendar import Calendar as Independent

    details = Details(
        "Comité « été » ; visite, suite",
        When.days(date(2026, 4, 1), date(2026, 4, 2), "Europe/Paris"),
        note="a\nb" * 60,
    )
    text = ics.written(
        "Essai",
        [
            ics.Entry("u@x", 3, NOW, details),
            ics.Entry("v@x", 0, NOW, replace(details, when=When(at(20), at(20, 10), "Europe/Paris"))),
        ],
    )
    first, second = (dict[str, Any](each) for each in Independent.from_ical(text).walk("VEVENT"))
    assert str(first["SUMMARY"]) == details.title
    assert str(first["DESCRIPTION"]) == details.note
    assert (first["DTSTART"].dt, first["DTEND"].dt) == (date(2026, 4, 1), date(2026, 4, 3))
    assert (second["DTSTART"].dt, second["DTEND"].dt) == (at(20), at(20, 10))
