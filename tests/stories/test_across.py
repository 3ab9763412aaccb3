"""The main story over both platforms: the real bot, a strict Slack, a real homeserver, an encrypted room."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.across import NUMBER, Across, across, runs

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 4000  # a megabyte
METZ = "La préfecture de la Moselle peut-elle vérifier une attestation d'accueil établie à Metz ?"


@pytest.fixture
def embedded(new_url: Callable[[str], str]) -> str:
    """A fresh SQLite database, with the shipped directory."""
    return new_url("sqlite")


@pytest.fixture
def served(new_url: Callable[[str], str]) -> str:
    """The same on PostgreSQL."""
    return new_url("postgresql")


async def test_a_question_and_its_answer_cross_both_ways(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, embedded: str
) -> None:
    """On SQLite, in a room in which the consul is alone with the bot."""
    async with across(synapse, strict, tmp_path, embedded) as both:
        await _files_cross(both)
        await _slack_asks_matrix(both)
        await _matrix_asks_slack(both)
        await _every_way_in(both)
        await _the_consulate_keeps_its_words(both)
        await both.nobody_was_hurt()


async def _files_cross(both: Across) -> None:
    """Files go from Slack into the encrypted room and back, once; what is deleted goes on the other side too."""
    consul, room = both.consul, both.room
    asked, card, number = await both.ask("Un acte de mariage dressé à Sarrebruck est-il authentique ?")
    piece = await both.agent.upload(both.channel, "acte.pdf", PDF, comment="Voici l'acte.", thread=asked)
    await both.consulate("Voici l'acte.")
    shown = await consul.expect(room, re.compile(r"\Aacte\.pdf\Z"), sender=both.bot_id, timeout=20)
    assert shown.encrypted
    assert shown.thread == card.id
    assert "file" in shown.content, "encrypted under a key of its own"
    assert await consul.download(shown) == PDF

    internal = await consul.send_file(room, "interne.pdf", b"%PDF interne")
    sent = await consul.send_file(room, "registre.pdf", PDF[::-1])
    await consul.react(sent, "📨")
    answer = await both.prefecture("📎 registre.pdf", thread=asked)
    file = await both.slack_file(asked)
    assert file == PDF[::-1]
    await consul.redact(sent)
    await both.gone(answer)
    await both.slack_forgot()
    assert internal.body == "interne.pdf"
    assert not [e for e in await both.slack.entries("file") if e["name"] == "interne.pdf"]

    await both.agent.delete_file(piece.body["files"][0]["id"])
    await consul.expect_redacted(shown, timeout=20)
    assert "acte.pdf" not in (await both.consulate("Voici l'acte.")).body
    await both.agent.say(both.channel, f"{both.slack.mention} clore {number}", thread=asked)
    await both.consulate_sees(card, "Close")


async def _slack_asks_matrix(both: Across) -> None:
    """The consulate takes by reaction, answers by number, command and form of words; edits and deletions follow."""
    agent, consul, room = both.agent, both.consul, both.room
    asked, card, number = await both.ask(SAARBRUCKEN)
    assert "Préfecture de la Moselle" in card.body
    assert "état civil" in card.body
    assert "1. Prendre" in card.body
    own = await both.prefecture(number, thread=asked)
    assert own.buttons == ["Compléter", "Rediriger", "Annuler", "Historique"]

    # taken by a reaction: both sides see who has it, by the directory's name
    await consul.react(card, "1️⃣")
    await both.prefecture_sees(own, "Prise par Consul Exemple")
    assert "1. Répondre" in (await both.consulate_sees(card, "Prise par Consul Exemple")).body

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
    assert answer.pings == [f"@{agent.id}"], "who asked is called to the answer, and nobody else"
    assert "Consul Exemple" in answer.text
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
    assert extra.pings == [f"@{agent.id}"], "nobody else is called, whatever is typed"
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
    for opening in (f"{both.bot_id} {METZ}", f"!question {METZ} Dossier 2026-77."):
        asked = await consul.say(room, opening)
        own = await both.consulate("En attente", after=asked)
        assert own.thread == asked.id
        card = await both.prefecture(METZ, button="Prendre")
        assert not card.is_reply
        assert "Consulat général de France à Francfort" in card.text
        await both.agent.click(card, "Prendre")
        await both.consulate_sees(own, "Prise par Agente Essai (Préfecture de la Moselle)")
        card = await both.prefecture_sees(card, "Prise par Agente Essai")
        await both.agent.click(card, "Répondre")
        form = await both.slack.expect_view(both.agent, "Votre réponse")
        first = f"Elle est *valable* ({asked.id[1:5]})."
        words = f"{first}\nCordialement"
        assert await both.agent.submit(form, {"Votre réponse": words}) == {}
        answer = await both.consulate(first, after=asked)
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
    await agent.submit(form, {"Votre question": f"Premier cas. {SAARBRUCKEN} Dossier 101."})
    card = await both.consulate("Premier cas.")
    own = await both.prefecture("Premier cas.")
    assert not own.is_reply, "the bot's card opens the conversation"
    await both.consul.say(both.room, "!repondre Vu pour le premier.", reply_to=card)
    await both.prefecture("Vu pour le premier.", thread=own)

    said = await both.colleague.say(both.channel, f"Deuxième cas. {SAARBRUCKEN} Dossier 102.")
    await agent.shortcut("question", said)
    card = await both.consulate("Deuxième cas.")
    await both.prefecture("En attente", thread=said)
    await both.consul.say(both.room, "!repondre Vu pour le deuxième.", reply_to=card)
    await both.prefecture("Vu pour le deuxième.", thread=said)

    await agent.dm(f"Troisième cas. {SAARBRUCKEN} Dossier 103.")
    doubt = await slack.expect(agent, button="Nouvelle question", timeout=20)  # those asked in the channel are open
    await agent.click(doubt, "Nouvelle question")
    card = await both.consulate("Troisième cas.")
    await slack.expect(agent, "En attente", timeout=20)
    await agent.dm("Il presse.")
    await both.consulate_sees(card, "Il presse.")  # said at once: part of the question
    await both.consul.say(both.room, "!repondre Vu pour le troisième.", reply_to=card)
    await slack.expect(agent, "Vu pour le troisième.", timeout=20)

    await agent.open_home()
    home = await slack.expect_view(agent, "Passerelle", home=True)
    await agent.click(home, "Poser une question")
    form = await slack.expect_view(agent, "Votre question")
    await agent.submit(form, {"Votre question": f"Quatrième cas. {SAARBRUCKEN} Dossier 104."})
    card = await both.consulate("Quatrième cas.")
    own = await slack.expect(agent, "Quatrième cas.", timeout=20)
    await agent.click(home, "Poser une question")
    form = await slack.expect_view(agent, "Votre question")
    await agent.submit(form, {"Votre question": f"Autre cas encore. {SAARBRUCKEN} Dossier 105."})
    await both.consulate("Autre cas encore.")
    await agent.dm("C'est pour le quatrième.", thread=own)
    assert NUMBER.findall(card.body)[0] in (await both.consulate("C'est pour le quatrième.", after=card)).body
    await both.consul.say(both.room, "!repondre Vu pour le quatrième.", reply_to=card)
    await slack.expect(agent, "Vu pour le quatrième.", timeout=20)

    await agent.slash(both.channel, "/annuaire", "consulat munich")
    await both.prefecture("Munich", to=agent)
    assert not [p for p in await both.said_to_prefecture("Munich") if not p.ephemeral_to]
    await both.consul.say(both.room, "!annuaire consulat munich")
    direct = await both.invited()
    await both.consul.join(direct)
    assert (await both.consul.expect(direct, "Munich")).encrypted


async def _the_consulate_keeps_its_words(both: Across) -> None:
    """From now on what is said in the encrypted room may not go to Slack: there one learns that an answer waits."""
    await both.import_directory(relay="no")
    asked, card, number = await both.ask(f"Cinquième cas. {SAARBRUCKEN} Dossier 106.")
    said = await both.consul.say(both.room, "!repondre La clé est sous le paillasson.", reply_to=card)
    told = await both.prefecture("salon chiffré", thread=asked)
    assert number in told.text
    assert told.pings == [f"@{both.agent.id}"]
    await both.consul.edit(said, "!repondre La clé est ailleurs.")
    question = await both.consul.say(both.room, f"!question {METZ} Dossier 120, au nom de Untel.")
    other = await both.prefecture("salon chiffré", button="Prendre")
    await both.consul.edit(question, f"!question {METZ} Dossier 120, au nom de Quidam.")
    await both.agent.click(other, "Prendre")
    await both.prefecture_sees(other, "Prise par")
    await both.agent.say(both.channel, "Merci de préciser.", thread=asked)
    await both.consulate("Merci de préciser.")
    everything = str(await both.slack.entries("post", "update", "ephemeral"))
    for secret in ("paillasson", "ailleurs", "Untel", "Quidam"):
        assert secret not in everything
        assert secret not in both.bot.log.read_text()


@pytest.mark.one_in(2)
async def test_what_is_said_while_the_bot_is_away_is_handled_once_and_in_order(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, served: str
) -> None:
    """On PostgreSQL, in a room of several."""
    async with across(synapse, strict, tmp_path, served, members=2) as both:
        await _stopped(both)
        await _killed(both)
        await _slack_is_down(both)
        await _matrix_is_down(both)
        await both.nobody_was_hurt(late=True)


async def _stopped(both: Across) -> None:
    """Stopped as for an update; what was said meanwhile is handled, on both sides, at the start."""
    asked, card, _ = await both.ask(SAARBRUCKEN)
    await both.bot.stop()
    for n in range(3):
        await both.agent.say(both.channel, f"suite {n}", thread=asked)
        await both.consul.say(both.room, f"!repondre réponse {n}", reply_to=card)
    await both.consul.edit(await both.consul.say(both.room, "!repondre brouillon", reply_to=card), "!repondre au net")
    await both.consul.redact(await both.consul.say(both.room, "!repondre non dit", reply_to=card))
    await both.colleague.say(both.channel, f"{both.slack.mention} Autre affaire, dossier 2026-78. {SAARBRUCKEN}")
    await both.bot.start()
    await both.consulate("Autre affaire")
    await both.prefecture("au net", thread=asked)
    await both.once_and_in_order("suite", "réponse", 3)
    assert len(await both.said_to_consulate("Autre affaire")) == 1
    assert await both.said_to_prefecture("non dit") == []


async def _killed(both: Across) -> None:
    """Killed in the middle of its work, with events that Slack never repeats: only its history has them."""
    asked, card, _ = await both.ask(f"Troisième affaire. {SAARBRUCKEN}")
    await both.slack.fault("chat.postMessage", "hang", after=True, delay=30)  # it is said, and the bot never learns it
    await both.consul.say(both.room, "!repondre avis 0", reply_to=card)
    await both.prefecture("avis 0", thread=asked)
    await both.agent.say(both.channel, "ajout 0", thread=asked)
    await both.slack.settled()
    await both.bot.kill()
    await both.slack.configure(lost_after=0.0)
    for n in (1, 2):
        await both.agent.say(both.channel, f"ajout {n}", thread=asked)
        await both.consul.say(both.room, f"!repondre avis {n}", reply_to=card)
    await both.slack.settled()
    assert await both.slack.entries("lost")
    await both.slack.configure(lost_after=360.0)
    await both.bot.start()
    await both.once_and_in_order("ajout", "avis", 3)


async def _slack_is_down(both: Across) -> None:
    """Slack breaks off; the consulate is served all the same, and what waits for Slack arrives when it is back."""
    asked, card, _ = await both.ask(f"Quatrième affaire. {SAARBRUCKEN}")
    await both.slack.outage()
    await both.bot.ready(without="slack")
    for n in range(3):
        await both.consul.say(both.room, f"!repondre note {n}", reply_to=card)
        await both.agent.say(both.channel, f"apport {n}", thread=asked)
    question = await both.consul.say(both.room, f"!question Cinquième affaire. {METZ}")
    state = await both.consulate("En attente", after=question)
    assert state.thread == question.id
    assert await both.said_to_prefecture("note") == []
    await both.slack.recover()
    await both.bot.ready()
    await both.once_and_in_order("apport", "note", 3)
    await both.prefecture("Cinquième affaire.", button="Prendre")
    assert len(await both.said_to_prefecture("Cinquième affaire.")) == 1


async def _matrix_is_down(both: Across) -> None:
    """The homeserver breaks off; the prefecture is served all the same, and what waits arrives when it is back."""
    await both.homeserver.kill()
    await both.bot.ready(without="matrix")
    asked = await both.agent.say(both.channel, f"{both.slack.mention} Sixième affaire. {SAARBRUCKEN}")
    own = await both.prefecture("En attente", thread=asked)
    for n in range(2):
        await both.agent.say(both.channel, f"détail {n}", thread=asked)
    await both.slack.settled()
    await both.homeserver.start()
    await both.bot.ready()
    card = await both.consulate("Sixième affaire.")
    await both.consul.say(both.room, "!repondre retour 0", reply_to=card)
    await both.consul.say(both.room, "!repondre retour 1", reply_to=card)
    await both.once_and_in_order("détail", "retour", 2)
    assert len(await both.said_to_consulate("Sixième affaire.")) == 1
    await both.prefecture_sees(own, "Répondue")
