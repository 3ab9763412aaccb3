"""The network abroad, row by row: time zones, one embassy a state, charges that do not meet, and closed posts."""

from collections import defaultdict

from babel.core import get_global

from tests.reference.rows import TODAY, competences, organisations

ELSEWHERE = {"consulat-jerusalem": "Asia/Jerusalem", "ambassade-xk": "Europe/Belgrade", "ambassade-va": "Europe/Rome"}
"""Zones that no list of their country's has."""
WITHIN = {"GL": "DK"}  # countries whose posts belong to the embassy in another
ABROAD = ("embassy", "consulate_general", "consulate", "honorary_consulate")
NOT_THE_CAPITAL = {  # cities of embassies, read one by one: all others are in the capital
    "ambassade-nl": "La Haye", "ambassade-bo": "La Paz", "ambassade-ci": "Abidjan", "ambassade-bj": "Cotonou",
    "ambassade-tz": "Dar es Salam", "ambassade-il": "Tel-Aviv", "ambassade-mm": "Rangoun", "ambassade-va": "Rome",
}  # fmt: skip


def test_every_post_has_a_zone_of_its_country() -> None:
    zones = {country: set(named) for country, named in get_global("territory_zones").items()}
    aliases = get_global("zone_aliases")
    for row in organisations():
        if row["kind"] in ABROAD and row["timezone"] != ELSEWHERE.get(row["id"]):
            named = {row["timezone"], aliases.get(row["timezone"], row["timezone"])}
            assert not named.isdisjoint(zones[row["country"]]), (row["id"], row["timezone"], zones[row["country"]])


def test_a_state_has_one_embassy_and_its_posts_lie_in_it() -> None:
    embassies: dict[str, list[str]] = defaultdict(list)
    for row in organisations():
        if row["kind"] == "embassy":
            embassies[row["country"]].append(row["id"])
            assert row["id"] == f"ambassade-{row['country'].lower()}"
    assert {country: found for country, found in embassies.items() if len(found) > 1} == {}
    for ident, city in NOT_THE_CAPITAL.items():
        assert next(row["city"] for row in organisations() if row["id"] == ident) == city
    countries = {row["id"]: row["country"] for row in organisations()}
    for row in organisations():
        if row["kind"] in ABROAD[1:] and row["parent"].startswith("ambassade-"):
            assert countries[row["parent"]] == WITHIN.get(row["country"], row["country"]), row


def test_one_post_is_accredited_to_a_state_for_each_purpose() -> None:
    """Consuls share a country by place; ambassadors and attachés do not share one."""
    charged: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in competences():
        today = row["valid_from"] <= TODAY and (not row["valid_to"] or row["valid_to"] >= TODAY)
        if row["role"] in {"ambassador", "asi"} and row["country"] and today:
            charged[tuple(row[name] for name in ("role", "topic", "country", "territory", "place"))].add(
                row["organisation"]
            )
    assert {key: posts for key, posts in charged.items() if len(posts) > 1} == {}


def test_an_embassy_s_site_is_its_own_and_a_post_that_is_not_open_names_none() -> None:
    sites = [row["website"] for row in organisations() if row["website"]]
    assert len(sites) == len(set(sites)) >= 157
    for row in organisations():
        if row["website"]:
            assert row["status"] == "open", row
            assert "noms de domaine" in row["source"], row
