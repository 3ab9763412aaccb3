"""Figures are counted from the history, without names of people, and drawn."""

from datetime import date
from io import BytesIO

from PIL import Image

from bot.directory.current import Current
from bot.documents.charts import MOST, WIDTH, Bar, bars
from bot.questions.figures import Group, by, count, facts
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene


async def _a_few(prefecture: Place, consulate: Place, play: Scene) -> None:
    """Three questions: one answered after two hours, one taken after one, one cancelled."""
    for _ in range(3):
        await prefecture.slash("question", SAARBRUCKEN)
    await prefecture.invoke("annuler", "Q-2026-00003")
    play.clock.pass_(hours=1)
    await consulate.invoke("prendre", "Q-2026-00001")
    await consulate.invoke("prendre", "Q-2026-00002")
    play.clock.pass_(hours=1)
    await consulate.invoke("repondre", "Q-2026-00001 Oui.")


async def test_counted(prefecture: Place, consulate: Place, play: Scene) -> None:
    await _a_few(prefecture, consulate, play)
    await consulate.invoke("rendre", "Q-2026-00002")
    day = date(2026, 3, 16)
    found = play.app.database.run_now(lambda s: facts(s, Current().get(s), day, day, play.clock()))
    total = count(found)
    assert (total.asked, total.answered, total.pending, total.cancelled) == (3, 1, 1, 1)
    assert total.to_take is not None
    assert total.to_take.total_seconds() == 3600, "what was put back was taken all the same"
    assert total.to_answer is not None
    assert total.to_answer.total_seconds() == 7200
    expected: tuple[tuple[Group, str], ...] = (
        ("topic", "etat_civil"),
        ("territory", "region-grand-est"),
        ("month", "2026-03"),
    )
    for group, name in expected:
        assert [(it, part.asked) for it, part in by(found, group)] == [(name, 3)]
    assert [it for it, _ in by(found, "post")] == ["consulat-francfort"]


async def test_shown_to_an_office_as_its_own(prefecture: Place, consulate: Place, play: Scene) -> None:
    await _a_few(prefecture, consulate, play)
    await consulate.say("bilan")
    shown = consulate.sees("Bilan du consulat général de France à Francfort")
    assert "Répondues : 1" in shown.text
    assert "Répondues en (médiane) : 2 h" in shown.text
    assert "état civil : **3**, avec réponse : 1 en 2 h" in shown.text
    chart = consulate.sees("📎 bilan-2026-01-01-2026-03-16.png")
    assert Image.open(BytesIO(play.stage.files[chart.id])).size == (WIDTH, 310)
    await consulate.click(shown, "Par poste")
    assert "Francfort : **3**" in consulate.sees("Par sujet").text
    other = play.link("prefecture-67")
    await other.say("bilan 2026-03 mois")
    other.sees("Aucune question sur cette période")
    await other.say("!bilan hier")
    other.sees("Je ne comprends pas « hier »")
    await other.say("Bilan de la coopération avec la Sarre : qui le rédige ?")
    assert "Bilan de la coopération" in play.question("Q-2026-00004").text, "a first word alone makes no command"


def test_a_chart_is_a_png_that_holds_what_it_is_given() -> None:
    rows = [Bar(f"sujet n° {n} au nom extraordinairement long et même plus", 40 - n, "en 3 h") for n in range(30)]
    image = Image.open(BytesIO(bars("Bilan", "30 sujets", rows)))
    assert image.format == "PNG"
    assert image.size[0] == WIDTH
    assert image.size[1] < 200 + 80 * MOST
    few = Image.open(BytesIO(bars("Bilan", "", [Bar("a", 2), Bar("b", 1)]))).convert("L")
    dark = [sum(pixel < 100 for pixel in few.crop((560, y, WIDTH, y + 1)).tobytes()) for y in (205, 270)]
    assert 1.7 < dark[0] / dark[1] < 2.3, "twice as many is twice as long"


def test_nothing_to_draw_is_drawn_too() -> None:
    assert Image.open(BytesIO(bars("Rien", "", []))).size[0] == WIDTH
