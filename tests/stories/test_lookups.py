"""An official in a hurry types badly, some fifty times: what comes back is the right post, short, with the way to reach it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.db import Database
from tests.fakes.slack import Post
from tests.search.conftest import people
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.across import SLOW, across
from tests.stories.lookups import PAGE, looked_up, page
from tests.stories.scene import Clock, Place, Scene, Shown, fields_of, scene
from tests.typed import typed

MORNING = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
LINES = 12  # of a card or list, at most: a phone shows them at once
SEVERAL = ("Plusieurs résultats", "Rien pour")

TYPED = {
    "consulta munich": "Consulat général de France à Munich",
    "munchen": "Consulat général de France à Munich",
    "cg barcelonne": "Consulat général de France à Barcelone",
    "consulat st petersbourg": "Consulat général de France à Saint-Pétersbourg",
    "consul général francfort": "section consulaire, Consulat général de France à Francfort",
    "new york consul": "section consulaire, Consulat général de France à New York",
    "consulat kiev": "section consulaire, Ambassade de France en Ukraine",
    "ambasade maroc": "Ambassade de France au Maroc",
    "amba cote d'ivoire": "Ambassade de France en Côte d'Ivoire",
    "amba niger": "Ambassade de France au Niger",
    "ambassadeur suisse": "ambassadeur, Ambassade de France en Suisse",
    "guinée": "Ambassade de France en Guinée",  # the others of that name are offered beside
    "congo": "1. Ambassade République du Congo · Brazzaville · République du Congo",
    "vienne": "1. Préfecture de la Vienne · Poitiers",
    "prefecture moselle": "Préfecture de la Moselle",
    "pref 67": "Préfecture du Bas-Rhin",
    "prefecture loire": "Préfecture de la Loire",
    "le prefet du nord": "préfet, Préfecture du Nord",
    "sous prefete thionville": "Sous-préfecture de Thionville",
    "nouvelle caledonie": "Haut-commissariat de la République en Nouvelle-Calédonie",
    "cdpr grand-est": "conseiller diplomatique, Préfecture de la région Grand Est",
    "conseiller diplomatique lyon": "conseiller diplomatique, Préfecture de la région Auvergne-Rhône-Alpes",
    "attaché de sécurité intérieure belgique": "attaché de sécurité intérieure, Ambassade de France en Belgique",
    "asi andorre": "attaché de sécurité intérieure, Ambassade de France en Espagne",
    "ccpd kehl": "Centre de coopération policière et douanière de Kehl",
    "service etat civil nantes": "Service central d'état civil",
    "cdcs crise": "Centre de crise et de soutien",
    "qui pour état civil à Sarrebruck": "section consulaire, Consulat général de France à Francfort",
    "refus de visa tunis": "section consulaire, Consulat général de France à Tunis",
    "légalisation sénégal": "section consulaire, Consulat général de France à Dakar",
    "laissez passer consulaire algérie": "À savoir",  # it is the foreign consulate's: nobody of the network
    "jumelage allemagne": "ambassadeur, Ambassade de France en Allemagne",
    "consulatgeneral milan": "Consulat général de France à Milan",
    "sp sarguemines": "Sous-préfecture de Sarreguemines",
    "cdpr guyanne": "conseiller diplomatique, Préfecture de la région Guyane",
    "consulat londres service etat civil": "section consulaire, Consulat général de France à Londres",
    "bureau des etrangers pref 59": "bureau compétent, Préfecture du Nord",
    "secretaire general pref moselle": "adjoint, Préfecture de la Moselle",
    "amba royaume unis": "Ambassade de France au Royaume-Uni",
    "cdpr hauts de france": "conseiller diplomatique, Préfecture de la région Hauts-de-France",
    "consulat alep": "1. Ambassade Syrie · Damas · Syrie",
    "ginevra": "1. CG Genève · Suisse",
    "paf": "1. CCPD Canfranc · Espagne",
    "modèle est": "Agente Modèle-Est",
    "pizza": "Rien trouvé pour « pizza ».",
}


@pytest.fixture
async def play(new_url: Callable[[str], str]) -> AsyncIterator[Scene]:
    database = Database(new_url("sqlite"))
    database.run_now(people)
    async with scene(database, Clock(MORNING)) as made:
        yield made
    database.close()


def first(shown: Shown) -> str:
    """What stands out: the title of a card, the first entry of a list, the first words of anything else."""
    title = typed(str(shown.card.title or ""))
    if title.startswith(SEVERAL):
        return f"1. {shown.buttons[0]}"
    return title or shown.text.partition(". ")[0] + "."


async def test_look_ups_of_somebody_in_a_hurry(play: Scene) -> None:
    office: Place = play.link("prefecture-57")
    found: dict[str, str] = {}
    for text in TYPED:
        await office.slash("annuaire", text)
        shown = office.posts[-1]
        found[text] = first(shown)
        assert shown.to.audience is not None, "it is for the asker alone"
        assert len([line for line in shown.text.splitlines() if line.strip()]) <= LINES, shown.text
    assert found == TYPED


async def test_what_there_is_to_reach_somebody_stands_on_the_card(play: Scene) -> None:
    office = play.link("prefecture-57")
    await office.slash("annuaire", "consulta munich")
    shown = dict(fields_of(office.posts[-1].card))
    assert next(iter(shown)) == "Téléphone"
    assert "ouvert" in shown["Sur place"]
    await office.slash("annuaire", "cdpr grand est")
    await office.click(office.posts[-1], "Agent Exemple-Isar")
    assert "Téléphone" in fields_of(office.posts[-1].card), "whoever stands in is one press away"
    await office.slash("annuaire", "guinée")
    assert any("Guinée-Bissau" in label for label in office.posts[-1].buttons), "false friends are offered beside"
    await office.slash("annuaire", "pizza")
    assert office.posts[-1].buttons == ["Poser une question"]


async def test_twenty_look_ups_on_slack_are_as_the_documentation_shows(
    new_url: Callable[[str], str], tmp_path: Path
) -> None:
    database = Database(new_url("sqlite"))
    answers = await looked_up(database, tmp_path)
    database.close()
    assert page(answers) == PAGE.read_text("utf-8"), "`python -m tests.stories.lookups` writes it anew"
    assert not [answer.drawn for answer in answers if len(answer.words) > LINES], "a phone shows them at once"


@pytest.mark.proof
async def test_twenty_look_ups_in_a_matrix_room_are_answered_as_on_slack(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    database = Database(new_url("sqlite"))
    answers = await looked_up(database, tmp_path, (synapse, strict))
    database.close()
    for ours, shown in zip(page(answers).split("\n## "), PAGE.read_text("utf-8").split("\n## "), strict=True):
        assert ours == shown


@pytest.mark.proof
async def test_thirty_look_ups_on_slack_and_on_matrix(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    none_there = ("modèle est", "laissez passer consulaire algérie")  # a name; and what a consulate does not ask
    queries = {text: words for text, words in TYPED.items() if text not in none_there}
    async with across(synapse, strict, tmp_path, new_url("sqlite"), patience=300) as both:
        await both.consul.say(both.room, "!annuaire munich")
        direct = await both.invited()
        await both.consul.join(direct)
        for text, words in queries.items():
            wanted = words.removeprefix("1. ")

            def fits(post: Post, wanted: str = wanted) -> bool:
                return wanted in typed(post.text) or wanted in [typed(label) for label in post.buttons]

            before = [post.ts for post in await both.slack.posts(both.channel)][-1:]
            await both.agent.slash(both.channel, "/annuaire", text)
            on_slack = await both.slack.expect(both.channel, fits, to=both.agent, after="".join(before), timeout=SLOW)
            said = await both.consul.say(direct, f"!annuaire {text}")
            on_matrix = await both.consul.expect(direct, wanted, sender=both.bot_id, after=said, timeout=SLOW)
            print(f"== {text}\n   Slack: {on_slack.text!r} {on_slack.buttons}\n   Matrix: {on_matrix.body!r}")
        await both.nobody_was_hurt()
