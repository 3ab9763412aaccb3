"""The most specific of the competences in force wins, on a small directory made for it."""

from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

import pytest

from bot.directory.snapshot import Away, Comp, Held, Org, Snapshot
from bot.routing.decide import route
from bot.routing.model import Assignment, Question
from tests.routing.shipped import rules

TODAY = date(2026, 11, 23)


def org(ident: str, kind: str, country: str = "DE", **more: str) -> Org:
    empty = dict.fromkeys("short_name subdivision city territory timezone opening_hours".split(), "")
    texts = {**empty, "visibility": "all", "status": "open", "name": ident, **more}
    known = {name: texts[name] for name in (*empty, "visibility", "status", "name")}
    return Org(
        id=ident,
        kind=kind,
        country=country,
        parent=more.get("parent"),
        successor=more.get("successor"),
        languages=(),
        language="",
        **known,
    )


def comp(organisation: str, role: str = "consul", **more: str) -> Comp:
    empty = dict.fromkeys("topic country territory place".split(), "")
    texts = {**empty, "direction": "to_post", "legal_basis": "arrêté", **more}
    return Comp(organisation=organisation, role=role, valid_from=None, valid_to=None, **texts)


ORGANISATIONS = (
    org("region-grand-est", "region", "FR", territory="region-grand-est"),
    org("prefecture-67", "prefecture", "FR", territory="67", parent="region-grand-est"),
    org("prefecture-57", "prefecture", "FR", territory="57", parent="region-grand-est"),
    org("ambassade-de", "embassy"),
    org("consulat-a", "consulate_general"),
    org("consulat-b", "consulate_general"),
    org("consulat-c", "consulate_general"),
)
ADVISER = comp("region-grand-est", "cdpr", territory="region-grand-est", direction="both")
EMBASSY = comp("ambassade-de", "ambassador", country="DE")
COUNTRY = comp("consulat-a", topic="etat_civil", country="DE")
BORDER = comp("consulat-b", topic="etat_civil", country="DE", territory="67")
PLACE = comp("consulat-c", topic="etat_civil", country="DE", place="Sarre")


def directory(*competences: Comp, organisations: tuple[Org, ...] = ORGANISATIONS) -> Snapshot:
    return Snapshot(MappingProxyType({org.id: org for org in organisations}), competences)


def ask(found: Snapshot, text: str, asker: str | None = "prefecture-67", on: date = TODAY) -> Assignment:
    return route(Question(text, asker), rules(), found, on)


def recipient(found: Snapshot, text: str, asker: str | None = "prefecture-67", on: date = TODAY) -> str | None:
    assignment = ask(found, text, asker, on)
    return assignment.recipient and assignment.recipient.organisation


def test_a_topic_wins_over_any_topic() -> None:
    assert recipient(directory(EMBASSY, COUNTRY), "acte de naissance allemand") == "consulat-a"
    assert recipient(directory(EMBASSY, COUNTRY), "visite officielle en Allemagne") == "ambassade-de"


def test_a_place_wins_over_its_country_and_over_the_border() -> None:
    all_three = directory(COUNTRY, BORDER, PLACE)
    assert recipient(all_three, "acte de naissance établi en Sarre") == "consulat-c"
    assert recipient(all_three, "acte de naissance établi à Sarrebruck") == "consulat-c"


def test_the_border_of_the_asker_wins_over_the_country() -> None:
    assert recipient(directory(COUNTRY, BORDER), "acte de naissance allemand") == "consulat-b"
    assert recipient(directory(COUNTRY, BORDER), "acte de naissance allemand", "prefecture-57") == "consulat-a"


def test_a_topic_for_the_whole_country_wins_over_any_topic_at_a_place() -> None:
    pooled = comp("consulat-a", topic="visa", country="DE")
    general = comp("consulat-c", country="DE", place="Sarre")
    assert recipient(directory(pooled, general), "refus de visa à Sarrebruck") == "consulat-a"


def test_a_place_named_wins_over_the_one_that_holds_it() -> None:
    town = comp("consulat-b", topic="etat_civil", country="DE", place="Sarrebruck")
    assert recipient(directory(PLACE, town), "acte de naissance établi à Sarrebruck, en Sarre") == "consulat-b"


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (TODAY - timedelta(days=1), "region-grand-est"),
        (TODAY, "consulat-a"),
        (TODAY + timedelta(days=9), "consulat-a"),
        (TODAY + timedelta(days=10), "region-grand-est"),
    ],
)
def test_the_first_and_the_last_day_count(on: date, expected: str) -> None:
    dated = replace(COUNTRY, valid_from=TODAY, valid_to=TODAY + timedelta(days=9))
    assert recipient(directory(ADVISER, dated), "acte de naissance allemand", on=on) == expected


def test_since_when_is_among_the_reasons() -> None:
    dated = replace(COUNTRY, valid_from=date(2025, 9, 1))
    reasons = {
        reason.key: dict(reason.values) for reason in ask(directory(dated), "acte de naissance allemand").because
    }
    assert reasons["route.because.competence_since"]["since"] == date(2025, 9, 1)
    assert reasons["route.because.competence_since"]["basis"] == "arrêté"


def closed(*successors: tuple[str, str]) -> tuple[Org, ...]:
    replaced = {ident: org(ident, "consulate", status="closed", successor=successor) for ident, successor in successors}
    return tuple(replaced.get(its.id, its) for its in ORGANISATIONS)


def test_a_closed_organisation_gives_way_to_its_successor() -> None:
    chain = closed(("consulat-a", "consulat-b"), ("consulat-b", "consulat-c"))
    found = ask(directory(COUNTRY, organisations=chain), "acte de naissance allemand")
    assert found.recipient is not None
    assert found.recipient.organisation == "consulat-c"
    assert "route.because.successor" in {reason.key for reason in found.because}


def test_a_loop_of_successors_and_an_unknown_organisation_answer_for_nothing() -> None:
    loop = closed(("consulat-a", "consulat-b"), ("consulat-b", "consulat-a"))
    found = directory(ADVISER, COUNTRY, comp("unknown", topic="etat_civil", country="DE"), organisations=loop)
    assert recipient(found, "acte de naissance allemand") == "region-grand-est"


def test_a_tie_is_asked() -> None:
    tied = directory(COUNTRY, *(comp(f"consulat-{it}", topic="etat_civil", country="DE") for it in "bc"))
    found = ask(tied, "acte de naissance allemand")
    assert found.decision == "ask"
    assert found.question_back is not None
    assert [it.recipient.organisation for it in found.question_back.choices] == [f"consulat-{it}" for it in "abc"]


def test_two_countries_with_one_answer_need_no_question() -> None:
    both = directory(comp("consulat-a", topic="visa", country="DE"), comp("consulat-a", topic="visa", country="BE"))
    assert recipient(both, "visa délivré en Allemagne ou en Belgique") == "consulat-a"


def test_the_asker_is_not_asked() -> None:
    row = comp("region-grand-est", "cdpr", topic="cooperation_transfrontaliere", direction="both")
    found = ask(directory(row, EMBASSY), "GECT : qui s'en occupe ?", "region-grand-est")
    assert found.recipient is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Coordonnées du consulat général de Munich pour une question sur l'Allemagne ?", "munich"),
        ("consulat général de France à Munich, horaires ?", "munich"),
        ("Visa pour un Allemand : le consulat de Munich ?", "ambassade-de"),
        ("la délégation visitera la ville de Munich", "ambassade-de"),
        ("Le CCPD de Kehl organise une réunion de sécurité avec l'Allemagne", "kehl"),
    ],
)
def test_who_is_called_by_name_is_meant_unless_another_has_the_topic(text: str, expected: str) -> None:
    named = (org("munich", "consulate_general", city="Munich"), org("kehl", "ccpd", city="Kehl"))
    visas = comp("ambassade-de", topic="visa", country="DE")
    security = comp("ambassade-de", "asi", topic="securite", country="DE")
    assert recipient(directory(EMBASSY, visas, security, organisations=(*ORGANISATIONS, *named)), text) == expected


def test_a_direction_is_kept() -> None:
    inward = comp("prefecture-67", "desk", country="FR", territory="67", direction="to_prefecture")
    found = directory(EMBASSY, inward)
    assert recipient(found, "titre de séjour, M. X réside à Haguenau", "consulat-a") == "prefecture-67"
    assert recipient(found, "titre de séjour allemand, M. X réside à Haguenau", "prefecture-57") == "ambassade-de"


def test_an_unknown_asker_is_as_good_as_none() -> None:
    assert (
        ask(directory(ADVISER, EMBASSY), "visite en Allemagne", "nobody").recipient
        == ask(directory(ADVISER, EMBASSY), "visite en Allemagne", None).recipient
    )


# --- those who stand in


def held(person: str, organisation: str, first: date = TODAY, last: date | None = None) -> Held:
    return Held(person, organisation, "consul", first, last)


def away(person: str, stand_in: str | None, first: date = TODAY, last: date | None = TODAY) -> Away:
    return Away(person, first, last, stand_in)


@pytest.mark.parametrize(
    ("absences", "on", "expected"),
    [
        ((), TODAY, "consulat-a"),
        ((away("one", "two"),), TODAY, "consulat-b"),
        ((away("one", "two"),), TODAY + timedelta(days=1), "consulat-a"),
        ((away("one", None),), TODAY, "consulat-a"),
        ((away("one", "stranger"),), TODAY, "consulat-a"),
        ((away("one", "two"), away("two", "three")), TODAY, "consulat-c"),
        ((away("one", "two"), away("two", "one")), TODAY, "consulat-a"),
    ],
)
def test_an_absent_holder_gives_way_to_the_one_who_stands_in(
    absences: tuple[Away, ...], on: date, expected: str
) -> None:
    offices = (held("one", "consulat-a"), held("two", "consulat-b"), held("three", "consulat-c"))
    found = ask(replace(directory(COUNTRY), held=offices, away=absences), "acte de naissance allemand", on=on)
    assert found.recipient is not None
    assert found.recipient.organisation == expected
    assert ("route.because.stand_in" in {reason.key for reason in found.because}) == (expected != "consulat-a")


def test_an_office_with_somebody_present_answers_itself() -> None:
    offices = (held("one", "consulat-a"), held("colleague", "consulat-a"), held("two", "consulat-b"))
    both = replace(directory(COUNTRY), held=offices, away=(away("one", "two"),))
    assert recipient(both, "acte de naissance allemand") == "consulat-a"
