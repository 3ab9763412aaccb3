"""Questions as officials write them, and where they go: every border and trap, on the shipped directory."""

from dataclasses import replace
from datetime import date

import pytest

from bot.routing.decide import route
from bot.routing.model import Assignment, Question
from tests.routing.shipped import directory, rules

TODAY = date(2026, 11, 23)


def ask(text: str, asker: str | None = None, on: date = TODAY) -> Assignment:
    return route(Question(text, asker), rules(), directory(), on)


def recipient(assignment: Assignment) -> str | None:
    return assignment.recipient and f"{assignment.recipient.organisation} {assignment.recipient.role}"


ABROAD = [
    # Belgium, Luxembourg, the United Kingdom
    ("prefecture-59", "Acte de naissance établi à Anvers, est-il authentique ?", "consulat-bruxelles consul"),
    ("prefecture-59", "acte de naissance flamand", "consulat-bruxelles consul"),
    ("prefecture-59", "Visite du ministre en Belgique le mois prochain", "ambassade-be ambassador"),
    ("prefecture-02", "trafic de véhicules volés vers la Belgique", "ambassade-be asi"),
    ("prefecture-08", "visa refusé à un résident de Namur", "consulat-bruxelles consul"),
    ("prefecture-62", "Coopération policière avec le Royaume-Uni dans le tunnel sous la Manche", "ambassade-gb asi"),
    ("prefecture-57", "Doute sur un acte de mariage célébré au Luxembourg", "ambassade-lu consul"),
    ("prefecture-54", "visa pour un résident luxembourgeois", "consulat-bruxelles consul"),
    # Germany: acts and influence are not at the same place
    ("prefecture-57", "Doute sur un acte de naissance établi à Sarrebruck", "consulat-francfort consul"),
    ("prefecture-57", "Projet de train transfrontalier avec la Sarre", "consulat-sarrebruck consul"),
    ("prefecture-57", "Nouvelle ligne de tramway SaarMoselle vers Sarrebruck", "consulat-sarrebruck consul"),
    ("prefecture-67", "acte de naissance bavarois", "consulat-munich consul"),
    ("prefecture-67", "acte de mariage établi à Karlsruhe", "consulat-munich consul"),
    ("prefecture-67", "acte de décès, Mayence en Rhénanie-Palatinat", "consulat-francfort consul"),
    ("prefecture-67", "Coopération hospitalière avec l'Ortenau", "consulat-stuttgart consul"),
    ("prefecture-67", "refus de visa, résident de Fribourg-en-Brisgau", "consulat-francfort consul"),
    ("prefecture-67", "fraude documentaire : passeports allemands", "ambassade-de asi"),
    ("prefecture-67", "acte allemand de naissance", "consulat-munich consul"),
    ("sous-prefecture-67-haguenau", "apprentissage transfrontalier à Rastatt", "consulat-stuttgart consul"),
    ("prefecture-68", "contrôles aux frontières au pont de Chalampé", "consulat-stuttgart consul"),
    # Switzerland
    ("prefecture-68", "acte de mariage célébré à Bâle", "consulat-zurich consul"),
    ("prefecture-68", "point de passage de l'EuroAirport", "consulat-zurich consul"),
    ("prefecture-90", "liaison ferroviaire Belfort-Delémont", "consulat-geneve consul"),
    ("prefecture-39", "acte de naissance établi dans le canton du Jura", "consulat-geneve consul"),
    ("prefecture-74", "frontaliers genevois : carte de transfrontalier", "consulat-geneve consul"),
    ("prefecture-01", "visa d'un résident de Zurich", "consulat-geneve consul"),
    # Italy, Monaco
    ("prefecture-73", "tunnel du Fréjus, convention de secours avec le Piémont", "consulat-milan consul"),
    ("prefecture-05", "Le col de Montgenèvre est-il rouvert ?", "consulat-milan consul"),
    ("prefecture-06", "Contrôles à la frontière à Vintimille", "consulat-milan consul"),
    ("prefecture-06", "acte de naissance établi à Monaco", "ambassade-mc consul"),
    ("prefecture-06", "visa pour un résident de Turin", "ambassade-it consul"),
    ("prefecture-2a", "acte de mariage célébré en Sardaigne", "ambassade-it consul"),
    # Spain, Andorra
    ("prefecture-66", "Réouverture du col de Banyuls", "consulat-barcelone consul"),
    ("region-occitanie", "Réouverture du col de Banyuls", "consulat-barcelone consul"),
    ("prefecture-66", "Hôpital de Cerdagne : coopération hospitalière", "consulat-barcelone consul"),
    ("prefecture-66", "acte de naissance établi à Barcelone", "consulat-madrid consul"),
    ("prefecture-64", "acte de naissance établi à Bilbao", "consulat-madrid consul"),
    ("prefecture-64", "commission transfrontalière avec la Navarre", "consulat-bilbao consul"),
    ("prefecture-64", "visa pour un Marocain installé à Saint-Sébastien", "consulat-madrid consul"),
    ("prefecture-09", "acte de naissance andorran", "ambassade-ad consul"),
    ("prefecture-66", "trafic de cigarettes, coopération policière avec Andorre", "ambassade-es asi"),
    # overseas
    ("prefecture-973", "acte de naissance établi à Macapá", "ambassade-br consul"),
    ("prefecture-973", "orpaillage clandestin venu du Suriname", "ambassade-sr asi"),
    ("prefecture-973", "Pont de l'Oyapock : horaires du point de passage", "ambassade-br ambassador"),
    ("prefecture-978", "visa pour Sint Maarten", "ambassade-do consul"),
    ("prefecture-978", "acte de naissance de Sint Maarten", "consulat-amsterdam consul"),
    ("prefecture-972", "acte de naissance de Sainte-Lucie", "ambassade-lc consul"),
    ("prefecture-974", "acte mauricien de naissance", "ambassade-mu consul"),
    ("prefecture-976", "acte de naissance comorien, Anjouan", "ambassade-km consul"),
    ("prefecture-988", "acte de naissance du Vanuatu", "ambassade-vu consul"),
    # false friends
    ("prefecture-75", "acte de naissance nigérian", "consulat-lagos consul"),
    ("prefecture-75", "acte de naissance équato-guinéen", "ambassade-gq consul"),
    ("prefecture-75", "acte de naissance de Guinée-Bissau", "ambassade-gw consul"),
    ("prefecture-75", "acte de naissance guinéen", "ambassade-gn consul"),
    ("prefecture-75", "acte de naissance dominicain", "ambassade-do consul"),
    ("prefecture-75", "acte de naissance dominiquais", "ambassade-lc consul"),
    ("prefecture-75", "acte de naissance sud-coréen", "ambassade-kr consul"),
    ("prefecture-75", "acte de naissance de RDC", "ambassade-cd consul"),
    ("prefecture-75", "acte de naissance congolais, Brazzaville", "ambassade-cg consul"),
    ("prefecture-75", "acte de naissance de l'île Maurice", "ambassade-mu consul"),
    ("prefecture-75", "M. Maurice X, acte de naissance établi à Zurich", "consulat-zurich consul"),
    ("prefecture-75", "acte de naissance rédigé en allemand, établi à Zurich", "consulat-zurich consul"),
    ("prefecture-75", "acte de naissance établi à Valence (Espagne)", "consulat-madrid consul"),
    ("prefecture-75", "Un Marocain né à Madrid : son acte de naissance est-il vrai ?", "consulat-madrid consul"),
    ("prefecture-75", "acte de naissance vénézuélien d'une Colombienne", "ambassade-ve consul"),
    ("prefecture-75", "Birth certificate from Ghana: is it genuine?", "ambassade-gh consul"),
    # people and their papers
    ("prefecture-75", "Un Français a perdu ses papiers à Rome : laissez-passer pour rentrer", "ambassade-it consul"),
    ("prefecture-75", "Français incarcéré à Bangkok", "ambassade-th consul"),
    ("prefecture-69", "visa refusé à Casablanca", "consulat-casablanca consul"),
    # towards the ministries
    ("prefecture-67", "Conférence du Rhin supérieur : qui prépare la séance ?",
     "ministere-ambassadeur-frontieres frontier_ambassador"),
    ("prefecture-33", "OQTF d'un ressortissant géorgien : vol retour", "ministere-dgef desk"),
]  # fmt: skip


@pytest.mark.parametrize(("asker", "text", "expected"), ABROAD)
def test_a_prefecture_asks(asker: str, text: str, expected: str) -> None:
    found = ask(text, asker)
    assert found.decision == "route"
    assert recipient(found) == expected


TO_PREFECTURES = [
    ("consulat-munich", "Le titre de séjour de M. X, résidant à Colmar, est-il valide ?", "prefecture-68 desk"),
    ("consulat-munich", "L'hébergeant a-t-il déposé une attestation d'accueil à Strasbourg ?", "prefecture-67 desk"),
    ("consulat-barcelone", "carte de séjour délivrée dans le 66", "prefecture-66 desk"),
    ("consulat-barcelone", "M. X, né à Lyon, domicilié à Perpignan : carte de séjour", "prefecture-66 desk"),
    ("consulat-londres", "titre de séjour, convocation à Paris", "prefecture-de-police-paris desk"),
    ("consulat-londres", "visite d'une délégation à Paris", "prefecture-75 desk"),
    ("consulat-milan", "contrôles à la frontière à Menton", "prefecture-06 desk"),
    ("consulat-geneve", "permis de conduire échangé à Annecy", "prefecture-74 desk"),
    ("ambassade-at", "titre de séjour, préfecture de la Vienne", "prefecture-86 desk"),
    ("ambassade-ma", "un Marocain dit avoir un récépissé de la préfecture du Rhône", "prefecture-69 desk"),
    ("ambassade-br", "carte de séjour délivrée à Saint-Laurent-du-Maroni", "prefecture-973 desk"),
    ("ambassade-nl", "contrôles à Marigot", "prefecture-978 desk"),
    ("consulat-francfort", "Qui est le conseiller diplomatique du Grand Est ?", "region-grand-est cdpr"),
]


@pytest.mark.parametrize(("asker", "text", "expected"), TO_PREFECTURES)
def test_a_post_asks(asker: str, text: str, expected: str) -> None:
    found = ask(text, asker)
    assert recipient(found) == expected
    assert found.copies == ()


ASKED_BACK = [
    ("prefecture-93", "Un ressortissant congolais présente un acte de naissance", {"CG", "CD"}),
    ("prefecture-93", "acte d'état civil établi au Congo", {"CG", "CD"}),
    ("prefecture-93", "acte de naissance coréen", {"KR", "KP"}),
    ("prefecture-93", "acte de naissance établi en Guyane", {"GY"}),
    ("prefecture-39", "acte de naissance établi dans le Jura", {"CH"}),
    ("prefecture-75", "acte de naissance établi à Vienne", {"AT"}),
    ("prefecture-75", "acte de naissance établi à Valence", {"ES"}),
    ("prefecture-75", "acte de naissance établi à Fribourg", {"CH", "DE"}),
    ("prefecture-75", "Une Sénégalaise et un Ivoirien, acte de mariage", {"SN", "CI"}),
    ("prefecture-75", "actes établis en Allemagne et en Belgique", {"DE", "BE"}),
    ("region-grand-est", "état civil en Allemagne", {"DE"}),
    ("prefecture-57", "travailleurs frontaliers", set[str]()),
    ("consulat-stuttgart", "titre de séjour à vérifier", set[str]()),
    ("consulat-stuttgart", "M. X vit à Saint-Denis, a-t-il un titre de séjour ?", set[str]()),
]


@pytest.mark.parametrize(("asker", "text", "countries"), ASKED_BACK)
def test_it_asks_back_rather_than_guess(asker: str, text: str, countries: set[str]) -> None:
    found = ask(text, asker)
    assert found.decision == "ask"
    assert found.recipient is None
    assert set(found.countries) == countries
    assert found.question_back is not None
    assert 1 <= len(found.question_back.choices) <= 3


def test_the_choices_lead_to_the_candidates() -> None:
    back = ask("acte de naissance établi en Guyane", "prefecture-93").question_back
    assert back is not None
    assert [choice.recipient.organisation for choice in back.choices] == ["prefecture-973", "ambassade-sr"]


ADVISED = [
    ("prefecture-67", "demandeur d'asile afghan : vérifier son acte de naissance", "asile", "ofpra"),
    ("prefecture-67", "Passeport d'un réfugié syrien", "asile", "ofpra"),
    ("prefecture-67", "certificat de nationalité d'un apatride", "asile", "ofpra"),
    ("consulat-munich", "un bénéficiaire de la protection subsidiaire de Colmar", "asile", "ofpra"),
    ("prefecture-67", "laissez-passer consulaire pour un Tunisien retenu au CRA", "eloignement", "foreign_consulate"),
    ("prefecture-67", "Laissez-passer consulaire algérien", "eloignement", "foreign_consulate"),
    ("prefecture-77", "audition consulaire d'un Malien en rétention", "eloignement", "foreign_consulate"),
    ("prefecture-94", "Un détenu suisse demande à prévenir son consulat", "protection_consulaire",
     "foreign_consulate"),
    ("prefecture-67", "commission rogatoire en Italie", "entraide_judiciaire", "justice"),
    ("prefecture-67", "enlèvement parental d'un enfant emmené au Japon", "entraide_judiciaire", "justice"),
    (None, "Comment renouveler mon titre de séjour ?", "sejour", "public_service"),
]  # fmt: skip


@pytest.mark.parametrize(("asker", "text", "topic", "to"), ADVISED)
def test_what_is_not_for_the_network_is_advised(asker: str | None, text: str, topic: str, to: str) -> None:
    found = ask(text, asker)
    assert (found.decision, found.topic, found.advice_to) == ("advise", topic, to)
    assert found.advice is not None
    assert found.recipient is None
    assert found.copies == ()


DANGER = [
    ("prefecture-67", "Prise d'otage à Kehl en ce moment", "ccpd", "ccpd-kehl desk"),
    ("prefecture-67", "Accident d'autocar à Fribourg-en-Brisgau, plusieurs blessés français", "emergency",
     "ccpd-kehl desk"),
    ("prefecture-06", "Une femme est en danger de mort à Vintimille", "emergency", "ccpd-vintimille desk"),
    ("prefecture-13", "Attentat à Bruxelles, des Marseillais blessés", "crisis_centre", "ambassade-be ambassador"),
    ("prefecture-75", "prise d'otages au Congo", "crisis_centre", "ministere-cdcs desk"),
    ("prefecture-75", "coups de feu, des personnes piégées dans un immeuble", "emergency", "ministere-cdcs desk"),
]  # fmt: skip


@pytest.mark.parametrize(("asker", "text", "to", "expected"), DANGER)
def test_danger_to_life_is_advised_and_sent_as_urgent(asker: str, text: str, to: str, expected: str) -> None:
    found = ask(text, asker)
    assert (found.decision, found.topic, found.advice_to) == ("advise", "crise", to)
    assert recipient(found) == expected
    assert found.urgent


NO_DANGER = [
    "Exercice attentat avec la Belgique : blessés simulés",
    "Commémoration de l'attentat de Bruxelles, les victimes seront là",
    "Rapatriement du corps d'une victime d'accident en Espagne",
    "Convention de secours avec l'Italie pour les accidents de montagne et les blessés",
    "Acte de décès d'une victime de naufrage aux Comores",
    "accident du travail d'un frontalier en Suisse, urgent",
]


@pytest.mark.parametrize("text", NO_DANGER)
def test_exercises_and_past_events_are_no_danger(text: str) -> None:
    assert ask(text, "prefecture-59").decision != "advise"


@pytest.mark.parametrize("text", ["[SECRET] acte de naissance allemand", "Diffusion Restreinte : visite en Italie"])
def test_a_marked_text_is_refused_and_nothing_is_quoted(text: str) -> None:
    found = ask(text, "prefecture-67")
    assert found.decision == "refuse"
    assert (found.topic, found.topics, found.countries, found.places) == (None, (), (), ())
    assert (found.recipient, found.fallback, found.question_back) == (None, None, None)
    assert all(not reason.values for reason in found.because)


def test_the_adviser_of_the_region_is_in_copy_of_what_goes_abroad() -> None:
    found = ask("acte de naissance établi à Sarrebruck", "sous-prefecture-67-haguenau")
    assert [(copy.organisation, copy.role) for copy in found.copies] == [("region-grand-est", "cdpr")]
    assert found.fallback == found.copies[0]


def test_overseas_without_a_region_the_regional_ambassador_stands_behind() -> None:
    found = ask("formation de policiers au Vanuatu", "prefecture-988")
    assert found.fallback is not None
    assert found.fallback.organisation == "ministere-ambassadeur-pacifique"


@pytest.mark.parametrize(
    ("asker", "adviser"),
    [
        ("prefecture-67", "region-grand-est cdpr"),
        ("prefecture-988", "ministere-ambassadeur-pacifique regional_ambassador"),
    ],
)
def test_who_says_nothing_is_asked_and_may_choose_the_adviser(asker: str, adviser: str) -> None:
    found = ask("Qui peut m'aider ?", asker)
    assert found.question_back is not None
    assert [f"{it.recipient.organisation} {it.recipient.role}" for it in found.question_back.choices] == [adviser]
    assert found.confidence < 0.3


def test_equal_topics_with_different_answers_are_asked() -> None:
    careful = replace(rules(), confidence=replace(rules().confidence, margin=0.99))
    question = Question("carte de séjour et acte de naissance d'un Marocain", "prefecture-67")
    found = route(question, careful, directory(), TODAY)
    assert found.question_back is not None
    assert found.question_back.text.key == "route.ask.topic"
    assert {choice.label.key for choice in found.question_back.choices} == {"route.choice.about"}


def test_a_post_that_names_no_territory_is_asked_for_the_prefecture() -> None:
    back = ask("titre de séjour à vérifier", "consulat-stuttgart").question_back
    assert back is not None
    assert back.text.key == "route.ask.territory"
    assert {choice.recipient.organisation for choice in back.choices} == {"prefecture-67", "prefecture-68"}
    far = ask("coopération policière", "ambassade-ma").question_back
    assert far is not None
    assert far.choices == ()


def test_the_pass_that_a_foreign_consulate_refuses_stays_its_own() -> None:
    found = ask("OQTF : le consulat général d'Algérie à Lyon ne répond pas, éloignement bloqué", "prefecture-69")
    assert found.advice_to == "foreign_consulate"


def test_a_french_consulate_issues_a_pass_to_the_french() -> None:
    assert ask("laissez-passer consulaire, touriste française volée à Rome", "prefecture-69").advice_to is None


def test_a_stranger_who_names_nothing_is_asked() -> None:
    found = ask("Qui peut m'aider ?")
    assert found.decision == "ask"
    assert found.fallback is None


@pytest.mark.parametrize(("on", "expected"), [(date(2025, 8, 31), "ambassade-sr"), (date(2025, 9, 1), "ambassade-gy")])
def test_competences_are_dated(on: date, expected: str) -> None:
    found = ask("visite officielle d'une délégation du Guyana", "prefecture-973", on)
    assert found.recipient is not None
    assert found.recipient.organisation == expected


def test_the_reasons_are_in_words() -> None:
    because = ask("Acte de naissance allemand", "prefecture-67").because
    reasons = {reason.key: dict(reason.values) for reason in because}
    assert reasons["route.because.country"]["country"] == "Allemagne"
    assert reasons["route.because.country"]["word"] == "allemand"
    assert reasons["route.because.topic"] == {
        "topic": "état civil",
        "topic_en": "civil status",
        "word": "Acte de naissance",
    }
    assert reasons["route.because.competence"]["organisation"] == "Consulat général de France à Munich"
    assert reasons["route.because.territory"]["territory"] == "Bas-Rhin"


def test_an_act_in_a_place_is_surer_than_a_country_by_default() -> None:
    sure = ask("acte de naissance établi à Conakry", "prefecture-93")
    assert ask("acte de naissance guinéen", "prefecture-93").confidence <= sure.confidence
