"""The form with which people correct their card, as Slack's modal."""

from bot.card import Errors, Form, Reply, rendered_form
from bot.directory.files import PEOPLE
from bot.directory.keeping import Card
from bot.directory.tables import Person
from bot.message import Inbound, Invocation
from bot.opening import CONFIG
from bot.texts import Catalogues, Reader
from handlers.keeping import _form
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot


def form(person: Person) -> Form:
    catalogues = Catalogues.load(CONFIG / "texts")
    return rendered_form(_form(Card(PEOPLE, person)), lambda words: catalogues.render(words, Reader()))


async def test_a_card_is_corrected_in_a_modal(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    asked = form(
        Person(
            id="agent-a",
            given_name="Agent",
            family_name="",
            email="agent_a@example.org",
            phone="+33 1 00",
            language="",
            visibility="own",
        )
    )

    def answer(inbound: Inbound) -> Reply:
        if not isinstance(inbound, Invocation):
            return None
        if not inbound.form:
            return asked
        return None if inbound.form["email"] else Errors((("email", "obligatoire"),))

    bot.answer = answer
    await bot.start()
    await agent.slash(room, "corriger")
    view = await slack.expect_view(agent, "Téléphone")
    assert await agent.submit(view, {"Courriel": ""}) == {"email": "obligatoire"}
    assert await agent.submit(view, {"Courriel": "agent_b@example.org", "Langue": "English"}) == {}
    sent = bot.invocations[-1]
    assert (sent.command, sent.line) == ("corriger", "agent-a")
    assert {name: value for name, value in sent.form.items() if value} == {
        "given_name": "Agent",
        "phone": "+33 1 00",
        "email": "agent_b@example.org",
        "language": "en",
        "visibility": "own",
    }
    assert await slack.violations() == []
