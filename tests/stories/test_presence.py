"""People come and go: absences with stand-ins, postings that end, rotas with gaps."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from bot.directory.absences import away, stand_in
from bot.directory.rota import next_gap, on_duty
from bot.directory.tables import Absence, Duty, Organisation, Person, Posting, Right
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene
from tests.typed import typed

NUMBER = "Q-2026-00001"
POST = "consulat-francfort"


@pytest.fixture
def people(play: Scene) -> Sequence[str]:
    """Three people of the consulate with accounts; the first keeps its card."""
    names = ("premier", "second", "troisieme")

    def work(session: Session) -> None:
        for name in names:
            account = f"@{name}:example.org"
            session.add(Person(id=name, given_name=name.title(), family_name="Exemple", matrix_id=account))
        session.flush()
        session.add_all(Posting(person=n, organisation=POST, role="desk", start=date(2026, 1, 1)) for n in names)
        session.add(Right(person="premier", right="editor"))

    play.app.database.run_now(work)
    return names


@pytest.fixture
def as_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the stage an account is a person's id, as on the console."""
    from bot.directory import identity

    def person_of(session: Session, user: object) -> Person | None:
        return session.get(Person, str(getattr(user, "id", "")).rpartition("/")[2])

    monkeypatch.setattr(identity, "person_of", person_of)


async def told(place: Place, command: str, line: str = "") -> str:
    """Return what the room is answered."""
    await place.invoke(command, line)
    return typed(place.posts[-1].text)


@pytest.mark.usefixtures("as_person", "people")
async def test_an_absence_hands_over_what_would_be_late(prefecture: Place, consulate: Place, play: Scene) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.as_("premier").click(consulate.sees(NUMBER), "Prendre")
    assert "Second Exemple" in await told(consulate.as_("premier"), "absence", "du 17/3 au 18/3 second")
    await play.at("2026-03-17T10:00")
    assert play.question().state == "taken", "back before the deadline"
    await consulate.as_("premier").invoke("absence", "du 17/3 au 27/3 second")
    await play.tick()
    assert play.question().state == "routed"
    consulate.sees("Premier Exemple est absent au-delà du délai")
    consulate.sees("d’abord à Second Exemple")
    prefecture.sees("n’est plus disponible")
    prefecture.sees_not("Premier Exemple est absent")


@pytest.mark.usefixtures("as_person", "people")
async def test_a_posting_that_ends_hands_its_questions_to_the_post(
    prefecture: Place, consulate: Place, play: Scene
) -> None:
    await prefecture.say(SAARBRUCKEN)
    await consulate.as_("second").click(consulate.sees(NUMBER), "Prendre")
    await play.tick()

    def leave(session: Session) -> None:
        session.get_one(Posting, ("second", POST, "desk", date(2026, 1, 1))).end = date(2026, 3, 17)

    play.app.database.run_now(leave)
    await play.at("2026-03-17T23:30")
    assert play.question().state == "taken", "its last day lasts until midnight"
    await play.at("2026-03-18T00:30")
    assert play.question().state == "taken", "at night nothing is said"
    await play.at("2026-03-18T09:30")
    assert play.question().state == "routed"
    assert consulate.sees("Second Exemple n’est plus au poste").buttons == ["Prendre", "Répondre"]
    prefecture.sees("La question reste au consulat")
    await play.tick()
    assert consulate.transcript().count("n’est plus au poste") == 1


@pytest.mark.usefixtures("as_person", "people")
async def test_chains_are_resolved_and_circles_refused(consulate: Place, play: Scene) -> None:
    await consulate.as_("second").invoke("absence", "2026-03-16 2026-03-31 troisieme")
    chain = await told(consulate.as_("premier"), "absence", "2026-03-20 2026-03-25 second")
    assert "Troisieme Exemple" in chain
    refused = await told(consulate.as_("troisieme"), "absence", "2026-03-24 2026-03-26 premier")
    assert "remplacée par vous" in refused
    assert "soi-même" in await told(consulate.as_("troisieme"), "absence", "24/3 26/3 troisieme")
    assert "avant le premier" in await told(consulate.as_("troisieme"), "absence", "26/3 2026-03-24")
    assert "n’existe pas" in await told(consulate.as_("troisieme"), "absence", "31/2")
    assert "aucun" not in await told(consulate.as_("premier"), "absence")
    absent = play.app.database.run_now(lambda s: away(s, datetime(2026, 3, 21, 12, tzinfo=UTC)))
    assert stand_in("premier", absent) == "troisieme"
    assert play.app.database.run_now(lambda s: away(s, datetime(2026, 4, 1, 12, tzinfo=UTC))) == {}, (
        "end dates are honoured"
    )
    await consulate.as_("premier").invoke("absence", "retour")
    assert "premier" not in play.app.database.run_now(lambda s: away(s, datetime(2026, 3, 21, 12, tzinfo=UTC)))


@pytest.mark.usefixtures("as_person", "people")
async def test_a_rota_warns_of_its_gaps_before_they_come(consulate: Place, play: Scene) -> None:
    assert "Second Exemple" in await told(consulate.as_("premier"), "permanence", "16/3 22/3 second")
    refused = await told(consulate.as_("second"), "permanence", "23/3 29/3 second")
    assert "Seuls ceux" in refused
    await consulate.as_("premier").invoke("permanence", "26/3 31/3 troisieme")
    await play.tick()
    consulate.sees("Personne n’est de permanence du lundi 23 mars 2026 au mercredi 25 mars 2026")
    await play.at("2026-03-17T10:00")
    await play.at("2026-03-18T10:00")
    warnings = [it for it in consulate.posts if it.to.audience is None and "n’est de permanence" in it.text]
    assert len(warnings) == 1
    await consulate.as_("premier").invoke("permanence", "23/3 25/3 premier")
    await play.at("2026-03-25T10:00")
    consulate.sees("Personne n’est de permanence à partir du mercredi 1er avril 2026")
    now = play.clock()
    assert play.app.database.run_now(lambda s: on_duty(s, POST, now)) == ["premier"]


async def test_who_is_away_is_not_on_duty(play: Scene, people: Sequence[str]) -> None:
    def work(session: Session) -> None:
        session.add(Duty(organisation=POST, person=people[0], start=date(2026, 3, 10), end=date(2026, 3, 31)))
        session.add(Absence(person=people[0], start=date(2026, 3, 20), end=date(2026, 3, 21)))

    play.app.database.run_now(work)
    gap = play.app.database.run_now(lambda s: next_gap(s, POST, play.clock()))
    assert gap is not None
    assert (gap.first, gap.last) == (date(2026, 3, 20), date(2026, 3, 21))


@pytest.mark.usefixtures("as_person", "people")
async def test_a_post_says_when_it_works_and_deadlines_follow(prefecture: Place, consulate: Place, play: Scene) -> None:
    keeper = consulate.as_("premier")
    assert "horaires usuels" in await told(keeper, "horaires")
    shown = await told(keeper, "horaires", "lun-jeu 8h30-12h30, 14h-16h ; ven 8h30-12h")
    assert "vendredi 20 mars 2026 : 8 h 30 à 12 h" in shown
    assert "samedi 21 mars 2026 : fermé" in shown
    shown = await told(keeper, "fermeture", "du 17/3 au 18/3 déménagement")
    assert "fermé du mardi 17 mars 2026 au mercredi 18 mars 2026 (déménagement)" in shown
    assert "mardi 17 mars 2026 : fermé" in shown
    assert "ouvert le lundi 6 avril 2026" in await told(keeper, "fermeture", "ouvert le 6/4"), "Easter Monday"
    await prefecture.say(SAARBRUCKEN)
    assert "avant mardi 24 mars" in consulate.sees(NUMBER).text, "the days that are closed do not count"
    await keeper.click(keeper.sees("déménagement"), "Annuler : mardi 17 mars 2026")
    assert "déménagement" not in await told(keeper, "fermeture")


@pytest.mark.usefixtures("as_person", "people")
async def test_only_who_keeps_the_card_says_when_a_post_works(consulate: Place, play: Scene) -> None:
    other, keeper = consulate.as_("second"), consulate.as_("premier")
    assert "ceux qui tiennent la fiche" in await told(other, "fermeture", "le 17/3")
    await other.invoke("horaires", "lun-ven 9h-12h")
    assert "fermeture le" not in await told(other, "horaires"), "nothing is offered that is refused"
    assert "Je ne lis pas d’horaires" in await told(keeper, "horaires", "quand il fait beau")
    assert "Je ne lis pas de jour" in await told(keeper, "fermeture", "bientôt")
    assert "avant le premier" in await told(keeper, "fermeture", "du 2026-05-03 au 2026-05-01")
    assert "un an au plus" in await told(keeper, "fermeture", "du 2026-05-03 au 2028-05-01")
    assert "Aucune fermeture" in await told(keeper, "fermeture", "annuler 3/5")
    assert play.app.database.run_now(lambda s: s.get_one(Organisation, POST).opening_hours) == ""
