"""Rhythms as people write them: what is understood, what is left for the filter, what is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.digests.phrases import begun, rhythm_in, said, same
from bot.digests.rhythm import Rhythm, from_data, to_data
from bot.errors import UserError
from bot.opening import CONFIG
from bot.texts import Catalogues, Reader, unescaped
from bot.worktime.holidays import Place

EIGHT = (time(8),)
ALSACE = Place("FR", "67")


def days(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


UNDERSTOOD = {
    "chaque lundi à 8 h": Rhythm(EIGHT, days(0)),
    "Tous les lundis 8h": Rhythm(EIGHT, days(0)),
    "lundi": Rhythm(EIGHT, days(0)),
    "lundi et jeudi à 7h30": Rhythm((time(7, 30),), days(0, 3)),
    "le lundi, le mercredi et le vendredi à 9:15": Rhythm((time(9, 15),), days(0, 2, 4)),
    "du lundi au jeudi à midi": Rhythm((time(12),), days(0, 1, 2, 3)),
    "jours ouvrés à 7 h 30": Rhythm((time(7, 30),), working=True),
    "chaque jour ouvré": Rhythm(EIGHT, working=True),
    "tous les jours à 8h et 14h": Rhythm((time(8), time(14))),
    "tous les jours à 6 h 45, sauf jours fériés": Rhythm((time(6, 45),), without_holidays=True),
    "le 1er et le 15": Rhythm(EIGHT, dates=days(1, 15)),
    "le 1er du mois à 9 h": Rhythm((time(9),), dates=days(1)),
    "les 1, 10 et 20 à 8h": Rhythm(EIGHT, dates=days(1, 10, 20)),
    "le 15 et le dernier jour du mois": Rhythm(EIGHT, dates=days(15, -1)),
    "le dernier vendredi": Rhythm(EIGHT, days(4), which=days(-1)),
    "le premier et le troisième mardi du mois à 10h": Rhythm((time(10),), days(1), which=days(1, 3)),
    "l'avant-dernier jeudi": Rhythm(EIGHT, days(3), which=days(-2)),
    "le premier jour ouvré du mois": Rhythm(EIGHT, which=days(1), working=True),
    "tous les deux mardis": Rhythm(EIGHT, days(1), every=2),
    "un mardi sur deux à 8 h": Rhythm(EIGHT, days(1), every=2),
    "mardi, une semaine sur deux": Rhythm(EIGHT, days(1), every=2),
    "tous les quinze jours": Rhythm(EIGHT, days(0), every=2),
    "tous les 3 jours": Rhythm(EIGHT, every=3, unit="day"),
    "toutes les semaines": Rhythm(EIGHT, days(0)),
    "chaque mois": Rhythm(EIGHT, dates=days(1)),
    "tous les deux mois le 10": Rhythm(EIGHT, dates=days(10), every=2, unit="month"),
    "chaque trimestre": Rhythm(EIGHT, dates=days(1), every=3, unit="month"),
    "every Monday at 8am": Rhythm(EIGHT, days(0)),
    "mondays and thursdays at 17:05": Rhythm((time(17, 5),), days(0, 3)),
    "working days at 7:30": Rhythm((time(7, 30),), working=True),
    "weekdays except public holidays": Rhythm(EIGHT, working=True, without_holidays=True),
    "the last friday of the month at noon": Rhythm((time(12),), days(4), which=days(-1)),
    "on the 1st and 15th": Rhythm(EIGHT, dates=days(1, 15)),
    "every other tuesday": Rhythm(EIGHT, days(1), every=2),
    "every two weeks": Rhythm(EIGHT, days(0), every=2),
    "first working day of the month": Rhythm(EIGHT, which=days(1), working=True),
    "daily at 06:00": Rhythm((time(6),)),
    "quarterly": Rhythm(EIGHT, dates=days(1), every=3, unit="month"),
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_words_make_a_rhythm(text: str) -> None:
    rhythm, rest = rhythm_in(text)
    assert rhythm == UNDERSTOOD[text]
    assert rest == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("chaque lundi à 8 h 67 formations", "67 formations"),
        ("formations Allemagne, chaque lundi à 8 h", "formations Allemagne"),
        ("le 1er et le 15 à 9h tout", "tout"),
        ("jours ouvrés à 7 h 30 · commissions 57", "commissions 57"),
        ("chaque lundi 8h Suisse sauf jours fériés", "Suisse"),
    ],
)
def test_what_is_no_rhythm_is_left_for_the_filter(text: str, rest: str) -> None:
    assert rhythm_in(text)[1] == rest


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "digest.no_rhythm"),
        ("à 8 h", "digest.no_rhythm"),
        ("le 31 mars", "digest.no_rhythm"),
        ("le 45", "digest.no_rhythm"),
        ("tous les 99 lundis", "digest.no_rhythm"),
        ("le premier lundi et le dernier vendredi", "digest.two_rhythms"),
        ("le 1er et chaque lundi", "digest.two_rhythms"),
        ("lundi à 6h, 7h, 8h, 9h, 10h", "digest.too_many_times"),
        ("lundi à 25h", "agenda.no_such_time"),
    ],
)
def test_what_is_no_rhythm_is_refused_with_what_to_type(text: str, key: str) -> None:
    with pytest.raises(UserError) as refused:
        rhythm_in(text)
    assert refused.value.text.key == key


TIMES = st.sets(st.times().map(lambda at: at.replace(second=0, microsecond=0)), min_size=1, max_size=4)
WEEKDAYS = st.frozensets(st.integers(0, 6), min_size=1)
RHYTHMS = st.builds(
    lambda times, free, rule: Rhythm(tuple(sorted(times)), without_holidays=free, **rule),
    TIMES,
    st.booleans(),
    st.one_of(
        st.just({}),
        st.fixed_dictionaries({"weekdays": WEEKDAYS, "every": st.sampled_from([1, 2, 5])}),
        st.fixed_dictionaries({"working": st.just(True)}),
        st.fixed_dictionaries({"every": st.integers(2, 6), "unit": st.just("day")}),
        st.fixed_dictionaries(
            {
                "dates": st.frozensets(st.sampled_from([-1, *range(1, 32)]), min_size=1, max_size=5),
                "every": st.sampled_from([1, 2, 3]),
                "unit": st.just("month"),
            }
        ),
        st.fixed_dictionaries(
            {
                "which": st.frozensets(st.sampled_from([-2, -1, 1, 2, 3, 4, 5]), min_size=1, max_size=3),
                "weekdays": st.integers(0, 6).map(lambda day: frozenset({day})),
            }
        ),
        st.fixed_dictionaries({"which": st.sampled_from([days(1), days(-1)]), "working": st.just(True)}),
    ),
)


@given(RHYTHMS, st.sampled_from(["fr", "en"]))
def test_what_is_said_of_a_rhythm_is_understood_again(rhythm: Rhythm, language: str) -> None:
    words = unescaped(Catalogues.load(CONFIG / "texts").render(said(rhythm), Reader(language)))
    again, rest = rhythm_in(words)
    if rhythm.every == 1:
        again = replace(again, unit=rhythm.unit)
    assert same(again, rhythm), words
    assert rest == ""
    assert from_data(to_data(rhythm)) == rhythm


def test_one_turn_of_two_begins_with_the_next_day() -> None:
    wednesday = datetime(2026, 3, 18, 12, tzinfo=UTC)
    rhythm = begun(rhythm_in("tous les deux mardis à 8 h")[0], wednesday, "Europe/Paris", ALSACE)
    assert rhythm.since == date(2026, 3, 24)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        rhythm_in(text)
    except UserError:
        pass
