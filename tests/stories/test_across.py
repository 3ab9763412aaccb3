"""The main story over both platforms: the real bot, a strict Slack, a real homeserver, an encrypted room."""

from collections.abc import Callable
from pathlib import Path

from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.across import Across, across, runs

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
METZ = "La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ?"


async def test_a_question_and_its_answer_cross_both_ways(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    async with across(synapse, strict, tmp_path, new_url("sqlite"), patience=30) as both:
        await _slack_asks_matrix(both)
        await _matrix_asks_slack(both)
        await _every_way_in(both)
        await both.nobody_was_hurt()


async def _slack_asks_matrix(both: Across) -> None:
    """The consulate takes by reaction, answers by number, command and form of words; edits and deletions follow."""
    agent, consul, room = both.agent, both.consul, both.room
    asked, card, number = await both.ask(SAARBRUCKEN)
    assert "Préfecture de la Moselle" in card.body
    assert "état civil" in card.body
    assert "1. Prendre" in card.body
    own = await both.prefecture(number, thread=asked)
    assert own.buttons == ["Compléter", "Rediriger", "Annuler"]

    # taken by a reaction: both sides see who has it, by the directory's name
    await consul.react(card, "1️⃣")
    await both.prefecture_sees(own, "Prise par Jean Dupont")
    assert "1. Répondre" in (await both.consulate_sees(card, "Prise par Jean Dupont")).body

    # what colleagues say among themselves stays there
    await both.colleague.say(both.channel, "Encore ce dossier…", thread=asked)
    await consul.say(room, "Qui connaît le Standesamt ?", reply_to=card)

    # answered by the number, then by words with their formatting
    await consul.say(room, "1", reply_to=card)
    prompt = await both.consulate("Écrivez votre réponse", after=card)
    said = await consul.say(
        room,
        "L'acte est authentique, voir le registre.",
        html='L\'acte est <strong>authentique</strong>, voir <a href="https://example.org/acte?n=1">le registre</a>.',
        reply_to=prompt,
    )
    answer = await both.prefecture("authentique", thread=asked)
    assert answer.pings == [agent.id], "who asked is called to the answer, and nobody else"
    assert "Jean Dupont" in answer.text
    found = runs(answer)
    assert {"type": "text", "text": "authentique", "style": {"bold": True}} in found
    assert {"type": "link", "url": "https://example.org/acte?n=1", "text": "le registre"} in found
    await both.prefecture_sees(own, "Répondue")

    # the answer is changed, another given by command and taken back
    await consul.edit(said, "L'acte est un faux.")
    answer = await both.prefecture_sees(answer, "un faux")
    assert "authentique" not in answer.text
    more = await consul.say(room, "!repondre Une précision <!channel> @everyone", reply_to=card)
    extra = await both.prefecture("Une précision", thread=asked)
    assert extra.pings == [agent.id], "nobody else is called, whatever is typed"
    await consul.redact(more)
    await both.gone(extra)

    # the asker goes on in the thread, with a link; changes it and takes it back
    follow = await agent.say(both.channel, "Il est de 1986, voir <https://example.org/a|ici>.", thread=asked)
    copy = await both.consulate("Il est de 1986")
    assert '<a href="https://example.org/a">ici</a>' in str(copy.html)
    assert copy.thread == card.id, "it stands under the card"
    await agent.edit(follow, "Il est de 1987.")
    assert "1986" not in (await both.consulate_sees(copy, "Il est de 1987.")).body
    await agent.delete(follow)
    await consul.expect_redacted(copy, timeout=20)

    await agent.click(await both.slack.refresh(own), "Clore")
    await both.consulate_sees(card, "Close")
    assert await both.said_to_consulate("Encore ce dossier") == []
    assert await both.said_to_prefecture("Standesamt") == []


async def _matrix_asks_slack(both: Across) -> None:
    """The consulate asks; the prefecture takes and answers with buttons and a form."""
    consul, room = both.consul, both.room
    for opening in (f"{both.bot_id} {METZ}", f"!question {METZ} Deuxième demande."):
        asked = await consul.say(room, opening)
        own = await both.consulate("En attente", after=asked)
        assert own.thread == asked.id
        card = await both.prefecture(METZ, button="Prendre")
        assert not card.is_reply
        assert "Consulat général de France à Francfort" in card.text
        await both.agent.click(card, "Prendre")
        await both.consulate_sees(own, "Prise par Claire Martin (Préfecture de la Moselle)")
        card = await both.prefecture_sees(card, "Prise par Claire Martin")
        await both.agent.click(card, "Répondre")
        form = await both.slack.expect_view(both.agent, "Votre réponse")
        words = f"Elle est *valable* ({asked.id[1:5]}).\nCordialement"
        assert await both.agent.submit(form, {"Votre réponse": words}) == {}
        answer = await both.consulate(words.split("\n")[0], after=asked)
        assert answer.thread == asked.id
        assert words in answer.body, "what is typed in a form arrives as it was typed"
        assert answer.content["m.mentions"] == {"user_ids": [consul.user_id]}
        shown = await both.prefecture("Cordialement", thread=card)
        assert "transmis" in shown.text, "colleagues see what was sent from a form"


async def _every_way_in(both: Across) -> None:
    """Slash command, shortcut, direct message, App Home; what is for one person alone."""
    slack, agent = both.slack, both.agent

    await agent.slash(both.channel, "/question")
    form = await slack.expect_view(agent, "Votre question")
    await agent.submit(form, {"Votre question": f"Premier cas. {SAARBRUCKEN}"})
    card = await both.consulate("Premier cas.")
    own = await both.prefecture("Premier cas.")
    assert not own.is_reply, "the bot's card opens the conversation"
    await both.consul.say(both.room, "!repondre Vu pour le premier.", reply_to=card)
    await both.prefecture("Vu pour le premier.", thread=own)

    said = await both.colleague.say(both.channel, f"Deuxième cas. {SAARBRUCKEN}")
    await agent.shortcut("question", said)
    card = await both.consulate("Deuxième cas.")
    await both.prefecture("En attente", thread=said)
    await both.consul.say(both.room, "!repondre Vu pour le deuxième.", reply_to=card)
    await both.prefecture("Vu pour le deuxième.", thread=said)

    await agent.dm(f"Troisième cas. {SAARBRUCKEN}")
    card = await both.consulate("Troisième cas.")
    await slack.expect(agent, "En attente", timeout=20)
    await agent.dm("Il presse.")
    await both.consulate("Il presse.", after=card)
    await both.consul.say(both.room, "!repondre Vu pour le troisième.", reply_to=card)
    await slack.expect(agent, "Vu pour le troisième.", timeout=20)

    await agent.open_home()
    home = await slack.expect_view(agent, "Passerelle", home=True)
    await agent.click(home, "Poser une question")
    form = await slack.expect_view(agent, "Votre question")
    await agent.submit(form, {"Votre question": f"Quatrième cas. {SAARBRUCKEN}"})
    card = await both.consulate("Quatrième cas.")
    await both.consul.say(both.room, "!repondre Vu pour le quatrième.", reply_to=card)
    await slack.expect(agent, "Vu pour le quatrième.", timeout=20)

    await agent.slash(both.channel, "/annuaire", "consulat munich")
    await both.prefecture("Munich", to=agent)
    assert not [p for p in await both.said_to_prefecture("Munich") if not p.ephemeral_to]
