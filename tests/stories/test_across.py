"""The main story over both platforms: the real bot, a strict Slack, a real homeserver, an encrypted room."""

from collections.abc import Callable
from pathlib import Path

from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.across import across

SAARBRUCKEN = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"


async def test_a(synapse: Synapse, strict: StrictClients, tmp_path: Path, new_url: Callable[[str], str]) -> None:
    async with across(synapse, strict, tmp_path, new_url("sqlite")) as both:
        asked, card, number = await both.ask(SAARBRUCKEN)
        print(card.body, card.html)
        own = await both.prefecture(number, thread=asked)
        print(own.text)
        await both.consul.react(card, "1️⃣")
        await both.prefecture_sees(own, "Prise par")
        print(await both.slack.transcript(both.channel))
        print(await both.consul.transcript(both.room))
        await both.nobody_was_hurt()
