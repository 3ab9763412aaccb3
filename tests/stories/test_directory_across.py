"""The directory's files on both platforms: a channel and the direct conversation of Slack, encrypted rooms of Matrix."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.across import SLOW, Across, across

PEOPLE = b"id,given_name,family_name,phone\nrecrue-%d,Agente,Recrue-Exemple,+33 1 00 00 00 0%d\n"


@pytest.mark.proof
async def test_files_come_in_and_go_out(
    synapse: Synapse, strict: StrictClients, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    async with across(synapse, strict, tmp_path, new_url("sqlite"), patience=200) as both:
        await both.bot.command("rights", "grant", "agente-essai", "coordinator")
        await both.bot.command("rights", "grant", "consul-exemple", "coordinator")
        await _on_slack(both)
        await _on_matrix(both)
        await both.nobody_was_hurt()
        assert not list((both.bot.folder / "var" / "files").iterdir()), "nothing is left on the disk"


async def _on_slack(both: Across) -> None:
    """Sent in the channel, shown and agreed to in the direct conversation; the archive comes there too."""
    agent, slack = both.agent, both.slack
    own = slack.dm(agent)
    comment = f"{slack.mention} annuaire importer"
    sent = await agent.upload(both.channel, "people.csv", PEOPLE % (1, 1), comment=comment)
    await both.prefecture("Je vous réponds en privé.", thread=sent)
    preview = await slack.expect(own, "Aperçu de l’import", button="Appliquer", timeout=SLOW)
    assert "recrue-1" in preview.text
    assert not [post for post in await slack.posts(both.channel, by_bot=True) if "recrue-1" in post.text]
    await agent.click(preview, "Appliquer")
    await both.prefecture_sees(preview, "Importé.")
    await agent.upload(own, "people.csv", b"id,email\nrecrue-1,nulle part\n", comment="annuaire importer")
    await slack.expect(own, "nulle part", timeout=SLOW)
    await agent.slash(both.channel, "/annuaire", "exporter")
    archive = await slack.expect(
        own, lambda post: bool(post.body.get("files")) and ".zip" in str(post.body), timeout=SLOW
    )
    assert (await slack.file(archive.body["files"][0]["id"]))[1].startswith(b"PK")


async def _on_matrix(both: Across) -> None:
    """In the direct, encrypted room: the word, then the file; a number agrees."""
    consul = both.consul
    await consul.say(both.room, "!annuaire importer")
    direct = await both.invited()
    await consul.join(direct)
    said = await consul.say(direct, "annuaire importer")
    await consul.expect(direct, "Envoyez maintenant les fichiers", sender=both.bot_id, after=said, timeout=SLOW)
    await consul.send_file(direct, "people.csv", PEOPLE % (2, 2), "text/csv")
    preview = await consul.expect(direct, "Aperçu de l’import", sender=both.bot_id, timeout=SLOW)
    assert preview.encrypted
    assert "recrue-2" in preview.body
    await consul.say(direct, "1")
    await consul.expect(direct, "Importé.", sender=both.bot_id, timeout=SLOW)
    said = await consul.say(direct, "annuaire vcard recrue-2")
    card = await consul.expect(direct, "agente-recrue-exemple.vcf", sender=both.bot_id, after=said, timeout=SLOW)
    assert (await consul.download(card)).startswith(b"BEGIN:VCARD\r\nVERSION:4.0\r\n")
