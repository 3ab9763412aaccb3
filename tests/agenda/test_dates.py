"""Days and times as people write them beside other words."""

from datetime import date, time

import pytest

from bot.agenda.dates import dated

TODAY = date(2026, 3, 16)  # a Monday


@pytest.mark.parametrize(
    ("line", "day", "begins", "rest"),
    [
        ("3e mardi de mai 14h Sarrebruck forum", date(2026, 5, 19), time(14), "Sarrebruck forum"),
        ("le premier lundi de mars 9h point", date(2027, 3, 1), time(9), "point"),
        ("dernier vendredi d’avril 2027 comité", date(2027, 4, 30), None, "comité"),
        ("last Friday of April 10 am council", date(2026, 4, 24), time(10), "council"),
        ("vendredi 13h Kehl permanence 24/7", date(2026, 3, 20), time(13), "Kehl permanence 24/7"),
        ("demain 9h CCPD ouvert 24h/24 et 7j/7", date(2026, 3, 17), time(9), "CCPD ouvert 24h/24 et 7j/7"),
        ("24/7 10h Strasbourg comité", date(2026, 7, 24), time(10), "Strasbourg comité"),
        ("2027-03-12T14:00 Genève réunion", date(2027, 3, 12), time(14), "Genève réunion"),
        ("dans 3 semaines Bruxelles comité", date(2026, 4, 6), None, "Bruxelles comité"),
        ("in two days 2 pm visit", date(2026, 3, 18), time(14), "visit"),
        ("ce soir 20h Lille dîner", date(2026, 3, 16), time(20), "Lille dîner"),
    ],
)
def test_a_day_is_found_and_leaves_the_other_words(line: str, day: date, begins: time | None, rest: str) -> None:
    found = dated(line, TODAY)
    assert found is not None
    assert (found.first, found.last, found.begins, found.rest) == (day, day, begins, rest)
