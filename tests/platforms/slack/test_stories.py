"""People and the bot on Slack, from the click to what they see."""

from bot.card import Button, Buttons, Card, Choice, Errors, Field, Form, Paragraph, Reply
from bot.message import Address, Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange
from tests.fakes.slack import FakeSlack, Room, User
from tests.platforms.slack.conftest import Bot

FORM = Form(
    "question",
    "Poser une question au réseau des postes",
    "Envoyer",
    (
        Field("texte", "Votre question", "text", hint="En une phrase"),
        Field("sujet", "Sujet", "choice", choices=(Choice("visa", "Visas"), Choice("asile", "Asile")), optional=True),
    ),
    intro="Le poste **compétent** répondra.",
)


async def test_a_form_from_a_command_to_its_answer(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    def answer(inbound: Inbound) -> Reply:
        if not isinstance(inbound, Invocation) or inbound.command != "question":
            return None
        if not inbound.form:
            return FORM
        return None if inbound.form["texte"] else Errors((("texte", "Il manque la **question**"),))

    bot.answer = answer
    await bot.start()
    await agent.slash(room, "question")
    view = await slack.expect_view(agent, "Votre question")
    assert view.title == "Poser une question au r…"
    assert "Le poste compétent répondra." in view.text
    assert await agent.submit(view, {"Votre question": " ", "Sujet": "Asile"}) == {"texte": "Il manque la question"}
    assert await agent.submit(view, {"Votre question": "Qui signe *ici* ?", "Sujet": "Asile"}) == {}
    sent = bot.invocations[-1]
    assert sent.form == {"texte": r"Qui signe \*ici\* ?", "sujet": "asile"}
    assert (sent.to, sent.author.id) == (Address("slack", room.id), agent.id)
    assert (await slack.call("screen", user=agent.id))["modal"] is None
    assert await slack.violations() == []


async def test_a_form_answered_by_a_form_shows_the_next_one(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    def answer(inbound: Inbound) -> Reply:
        if isinstance(inbound, Invocation):
            return Form("question", "Suite", "Envoyer", (Field("b", "B"),), line="deux") if inbound.form else FORM
        return None

    bot.answer = answer
    await bot.start()
    await agent.slash(room, "question")
    await agent.submit(await slack.expect_view(agent, "Votre question"), {"Votre question": "x"})
    second = await slack.expect_view(agent, "B")
    assert second.title == "Suite"
    await agent.submit(second, {"B": "y"})
    assert (bot.invocations[-1].line, bot.invocations[-1].to.room) == ("deux", room.id)


async def test_a_button_in_a_thread_opens_a_form_that_remembers_its_card(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    bot.answer = lambda i: FORM if isinstance(i, Invocation) and not i.form else None
    await bot.start()
    root = await agent.say(room, "racine")
    card = Card("Q-1", (Buttons((Button("Répondre", "repondre", "Q-1"),)),))
    ts = await bot.platform.send(Address("slack", room.id, root.ts), card, key="k", again=False)
    await agent.click(await slack.expect(room, "Q-1"), "Répondre")
    await agent.submit(await slack.expect_view(agent), {"Votre question": "oui"})
    pressed, sent = bot.invocations
    assert (pressed.command, pressed.line, pressed.pressed, pressed.to.thread) == ("repondre", "Q-1", ts, root.ts)
    assert (sent.to, sent.pressed) == (Address("slack", room.id, root.ts), ts)


async def test_the_app_home_is_drawn_when_opened_and_after_each_button(slack: FakeSlack, bot: Bot, agent: User) -> None:
    def answer(inbound: Inbound) -> Reply:
        return Card(f"Accueil {len(bot.kept)}", (Paragraph("Bonjour"), Buttons((Button("Encore", "accueil"),))))

    bot.answer = answer
    await bot.start()
    await agent.open_home()
    home = await slack.expect_view(agent, "Accueil 1", home=True)
    await agent.click(home, "Encore")
    await slack.expect_view(agent, "Accueil 2", home=True)
    assert [(i.command, i.to.surface) for i in bot.invocations] == [("accueil", "home")] * 2
    await agent.open_home("messages")
    await slack.settled()
    assert len(bot.kept) == 2


async def test_edits_deletions_reactions_and_files_arrive(slack: FakeSlack, bot: Bot, agent: User, room: Room) -> None:
    await bot.start()
    post = await agent.say(room, "bonjour")
    await slack.settled()
    await agent.edit(post, "bonsoir")
    await slack.settled()
    await agent.react(post, "incoming_envelope")
    await slack.settled()
    await agent.delete(post)
    await slack.settled()
    file = await agent.upload(room, "acte.pdf", b"%PDF", comment="voici")
    await slack.settled()
    kinds = [type(each) for each in bot.kept]
    assert kinds == [Message, Edit, Reaction, Deletion, Message]
    reaction, shared = bot.kept[2], bot.kept[4]
    assert isinstance(reaction, Reaction)
    assert (reaction.message_id, reaction.emoji) == (post.ts, "📨")
    assert isinstance(shared, Message)
    assert (shared.message_id, shared.text, shared.files[0].name, shared.files[0].size) == (
        file.ts,
        "voici",
        "acte.pdf",
        4,
    )


async def test_the_bot_is_invited_archived_and_thrown_out(slack: FakeSlack, bot: Bot, agent: User) -> None:
    await bot.start()
    new = slack.channel("C4NOUVEAU", bot=False, members=[agent])
    await new.invite_bot(agent)
    await slack.settled()
    await agent.say(new, "bonjour")
    await slack.settled()
    await new.archive(agent)
    await slack.settled()
    await new.kick_bot(agent)
    await slack.settled()
    changes = [each for each in bot.kept if isinstance(each, RoomChange)]
    assert [(c.change, c.author.id) for c in changes] == [
        ("joined", agent.id),
        ("archived", agent.id),
        ("removed", agent.id),
    ]
    assert changes[0].author.insider
    assert changes[0].cursor is not None
    assert changes[0].cursor[0] == f"ts:{new.id}"


async def test_guests_of_slack_connect_are_strangers_whatever_they_do(slack: FakeSlack, bot: Bot, agent: User) -> None:
    await bot.start()
    guest = slack.user("U9AILLEURS", "ailleurs", team="T9AILLEURS")
    shared = slack.channel("C8PARTAGE", members=[agent, guest], shared_with=["T9AILLEURS"])
    post = await guest.say(shared, "bonjour")
    await guest.react(post, "one")
    await agent.react(post, "two")
    await agent.say(shared, "bonjour")
    await guest.edit(post, "bonsoir")
    await slack.settled()
    assert len(bot.kept) == 5
    assert {(each.author.id, each.author.insider) for each in bot.kept} == {(guest.id, False), (agent.id, True)}
    assert (await slack.calls())["users.info"] == 2


async def test_an_account_that_cannot_be_looked_up_stays_a_stranger(slack: FakeSlack, bot: Bot, agent: User) -> None:
    await bot.start()
    shared = slack.channel("C8PARTAGE", members=[agent], shared_with=["T9AILLEURS"])
    post = await agent.say(shared, "bonjour")
    await slack.fault("users.info", "error")
    await agent.react(post, "one")
    await slack.settled()
    await agent.react(post, "two")
    await slack.settled()
    assert [each.author.insider for each in bot.kept] == [True, False, True]


async def test_a_reply_without_a_place_is_dropped_and_harms_nobody(
    slack: FakeSlack, bot: Bot, agent: User, room: Room
) -> None:
    bot.answer = lambda _: Card("Rien à voir ici")
    await bot.start()
    await agent.say(room, "bonjour")
    await agent.slash(room, "aide")
    await slack.settled()
    await slack.silence(room, 0.1)
    assert await slack.entries("unacked") == []


async def test_a_global_shortcut_opens_a_form_for_the_direct_room(slack: FakeSlack, bot: Bot, agent: User) -> None:
    bot.answer = lambda i: FORM if isinstance(i, Invocation) and not i.form else None
    await bot.start()
    await agent.shortcut("question")
    await agent.submit(await slack.expect_view(agent), {"Votre question": "x"})
    assert bot.invocations[-1].to == Address("slack", slack.dm(agent).id, surface="direct")


async def test_what_is_asked_from_the_home_belongs_to_the_direct_conversation(
    slack: FakeSlack, bot: Bot, agent: User
) -> None:
    home = Card("Passerelle", (Buttons((Button("Poser une question", "question"),)),))
    bot.answer = lambda inbound: (
        home if getattr(inbound, "command", "") == "accueil" else None if getattr(inbound, "form", None) else FORM
    )
    await bot.start()
    await agent.open_home()
    await agent.click(await slack.expect_view(agent, "Passerelle", home=True), "Poser une question")
    await agent.submit(await slack.expect_view(agent, "Votre question"), {"Votre question": "Qui signe ?"})
    direct = slack.dm(agent).id
    assert [asked.to for asked in bot.invocations[1:]] == [Address("slack", direct, surface="home")] * 2
    await agent.shortcut("question")
    assert bot.invocations[-1].to == Address("slack", direct, surface="direct")
    assert (await slack.calls())["conversations.open"] == 1
