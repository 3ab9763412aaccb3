"""`annuaire`, as officials type it, on the shipped network and a few made-up people."""

import pytest

from tests.search.conftest import Directory, actor

QUERIES = {
    "consulat munich": ("consulat-munich", None),
    "CONSULAT-GENERAL À MÜNCHEN": ("consulat-munich", None),
    "consul muenchen": ("consulat-munich", "consul"),
    "67": ("prefecture-67", None),
    "01": ("prefecture-01", None),
    "1": ("prefecture-01", None),
    "2a": ("prefecture-2a", None),
    "préf bas rhin": ("prefecture-67", None),
    "sp haguenau": ("sous-prefecture-67-haguenau", None),
    "prefecture du haut rihn": ("prefecture-68", None),
    "cdpr grand est": ("region-grand-est", "cdpr"),
    "grand est cdpr": ("region-grand-est", "cdpr"),
    "cdpr 67": ("region-grand-est", "cdpr"),
    "grd est cdpr": ("region-grand-est", "cdpr"),
    "cdpr paca": ("region-provence-alpes-cote-d-azur", "cdpr"),
    "préfecture nord pas de calais": ("region-hauts-de-france", None),
    "prefecture mosellane": ("prefecture-57", None),
    "prefet du nord": ("prefecture-59", "prefect"),
    "sgar bretagne": ("region-bretagne", None),
    "asi andorre": ("ambassade-es", "asi"),
    "asi espagne": ("ambassade-es", "asi"),
    "amba chine": ("ambassade-cn", None),
    "ambasade allemande": ("ambassade-de", None),
    "Embassy Germany": ("ambassade-de", None),
    "CG newyork": ("consulat-new-york", None),
    "stras bourg prefecture": ("prefecture-67", None),
    "saintmartin": ("prefecture-978", None),
    "st martin": ("prefecture-978", None),
    "stmartin": ("prefecture-978", None),
    "consulat anvers": ("consulat-bruxelles", None),
    "consulat Antwerpen": ("consulat-bruxelles", None),
    "qui pour état civil en Sarre": ("consulat-francfort", "consul"),
    "ki pr visa tunis": ("consulat-tunis", "consul"),
    "ambassade japon ouverte maintenant ?": ("ambassade-jp", None),
    "visas allemagne": ("consulat-francfort", "consul"),
    "bonjour, le numéro du consulat à Londres svp": ("consulat-londres", None),
    "ccpd kehl": ("ccpd-kehl", None),
    "CDCS": ("ministere-cdcs", None),
    "modele est": ("cdpr-ge", "cdpr"),
    "mdoele est agente": ("cdpr-ge", "cdpr"),
    "0388001122": ("cdpr-ge", "cdpr"),
    "03.88.00.11.22": ("cdpr-ge", "cdpr"),
    "0033388001122": ("cdpr-ge", "cdpr"),
    "+33 (0)3 88 00 11 22": ("cdpr-ge", "cdpr"),
    "089 419 41 10": ("consulat-munich", None),
    "Agente.Est@Example.org": ("cdpr-ge", "cdpr"),
    "contact.munich@example.org": ("consulat-munich", None),
    "consulat-munich": ("consulat-munich", None),
}


def test_officials_who_type_badly_find(directory: Directory) -> None:
    found = {text: directory.first(text) for text in QUERIES}
    assert found == QUERIES


@pytest.mark.parametrize("text", ["", "  ", "?!", "xyzzy", "𝄞", "'; DROP TABLE person; --", "x" * 100_000])
def test_nonsense_finds_nothing(directory: Directory, text: str) -> None:
    assert directory.find(text) == []


def test_who_is_in_charge_of_a_place_depends_on_the_place(directory: Directory) -> None:
    """A question of a post goes to a prefecture; who answers for Tunis is the consulate there, whoever looks it up."""
    asked = {
        "qui pour état civil en Sarre": ("consulat-francfort", "consul"),
        "qui pour visa tunis": ("consulat-tunis", "consul"),
        "qui pour titre de séjour en Moselle": ("prefecture-57", "desk"),
    }
    for asking in ("prefecture-67", "consulat-munich", "ambassade-de", "ministere-cdcs"):
        found = {text: directory.first(text, actor("member", asking)) for text in asked}
        assert found == asked, asking


def test_what_comes_near_is_not_sure(directory: Directory) -> None:
    near = directory.find("munich introuvable")
    assert (near[0].id, near[0].sure) == ("consulat-munich", False)
    assert directory.find("consulat munich")[0].sure


def test_offices_follow_their_days(directory: Directory) -> None:
    assert "parti" not in [hit.id for hit in directory.find("ancien prefecture metz")]
    (left,) = directory.find("agent ancien", limit=1)
    assert (left.id, left.role, left.organisation) == ("parti", None, None)


def test_a_hit_has_what_the_card_shows(directory: Directory) -> None:
    (hit,) = directory.find("exemple isar", limit=1)
    assert (hit.kind, hit.name, hit.role, hit.organisation) == (
        "person",
        "Agent Exemple-Isar",
        "consul",
        "consulat-munich",
    )
    assert (hit.country, hit.city, hit.phone) == ("DE", "Munich", "+49 89 000 33 44")


def test_rights_decide_what_is_found_and_shown(directory: Directory) -> None:
    reader, member, colleague = actor("reader"), actor("member"), actor("member", "prefecture-57")
    assert directory.find("munich", None) == []
    assert "cdpr-ge" not in [hit.id for hit in directory.find("modele est", reader)]
    assert directory.first("modele est", member) == ("cdpr-ge", "cdpr")
    assert "discret" not in [hit.id for hit in directory.find("agent caché", member)]
    assert directory.first("agent caché", colleague) == ("discret", "desk")
    assert directory.first("agent caché", actor("coordinator")) == ("discret", "desk")
    assert directory.first("agent caché", actor("reader", person="discret")) == ("discret", "desk")
    (hit,) = directory.find("exemple isar", reader, limit=1)
    assert (hit.phone, hit.email) == (None, None), "a reader does not learn how to reach a person"
    assert directory.find("+49 89 000 33 44", reader) == []
    assert directory.first("+49 89 000 33 44", member) == ("consul-m", "consul")
