"""The same on the platforms themselves: what Slack and Matrix send along with a message must not cross with it.

A prefecture on a strict Slack, a consulate on a homeserver, the real platforms between them in this process. Everything
is said that could carry a remark to the other side; then a last answer crosses, and all that either side was shown is
read.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from bot.app import App, build
from bot.connections import connect
from bot.db import Database
from bot.directory import rooms
from bot.life import running
from config.settings import MatrixSettings, Settings, SlackSettings
from tests.fakes.slack import FakeSlack, Post, Room, User
from tests.servers.matrix_stub import MatrixStub, StubUser
from tests.servers.story import RoomEvent
from tests.stories.conftest import SAARBRUCKEN
from tests.typed import typed

SLACK, MATRIX, SECRET = "CANARI-S", "CANARI-M", "12AB34567"
BOT = "@passerelle:stub.test"


@dataclass
class Both:
    """Two rooms and their people: one asks or answers, a colleague of each only talks."""

    app: App
    slack: FakeSlack
    channel: Room
    agent: User
    colleague: User
    stub: MatrixStub
    room: str
    consul: StubUser
    trainee: StubUser

    async def shown_on_slack(self) -> str:
        """All that was ever shown there by the bot, to everybody or to one."""
        entries = await self.slack.entries("post", "update", "ephemeral", "view", "home", "file")
        return typed(repr(entries))

    def shown_on_matrix(self) -> str:
        """All that the bot ever sent to the homeserver, its files with it."""
        events = [e.content for r in self.stub.homeserver.rooms.values() for e in r.events if e.sender == BOT]
        return typed(repr(events)) + repr([content for content, _ in self.stub.homeserver.media.values()])


@contextlib.asynccontextmanager
async def both(url: str, folder: Path, stub: MatrixStub) -> AsyncGenerator[Both]:
    database = Database(url)
    async with (
        FakeSlack() as slack,
        StubUser(stub.url, "consul") as consul,
        StubUser(stub.url, "trainee") as trainee,
    ):
        agent, colleague = slack.user("U0AGENT", "agent"), slack.user("U0COLLEGUE", "collegue")
        channel = slack.channel("C0METZ", "prefecture-57", members=[agent, colleague])
        room = await consul.create_room("Consulat", invite=[BOT, trainee.user_id])
        await trainee.join(room)
        settings = Settings(
            data_dir=folder,
            slack=SlackSettings(
                bot_token=SecretStr(slack.bot_token),
                app_token=SecretStr(slack.app_token),
                api_url=slack.api_url,
                pace=1000,
                burst=1000,
                trust_email=(),
            ),
            matrix=MatrixSettings(
                homeserver=stub.url,
                user_id=BOT,
                password=SecretStr("any"),
                store_key=SecretStr("key"),
                pace=1000,
                burst=1000,
                requests_per_second=0,
            ),
        )
        app = build(settings, database)
        for organisation, platform, name in (
            ("prefecture-57", "slack", channel.id),
            ("consulat-francfort", "matrix", room),
        ):
            await database.run(lambda s, o=organisation, p=platform, n=name: rooms.link(s, o, p, n, app.clock()))
        connect(app)
        async with running(app):
            async with asyncio.timeout(60):
                while BOT not in stub.homeserver.rooms[room].joined:
                    await asyncio.sleep(0.02)
            yield Both(app, slack, channel, agent, colleague, stub, room, consul, trainee)
    database.close()


async def test_nothing_that_comes_along_crosses_from_matrix(
    new_url: Callable[[str], str], tmp_path: Path, stub: MatrixStub
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with both(new_url("sqlite"), tmp_path, stub) as at:
            await at.agent.say(at.channel, f"{at.slack.mention} {SAARBRUCKEN}")
            card = await at.consul.expect(at.room, "Q-", sender=BOT)
            remark = await at.trainee.say(at.room, f"{MATRIX} dans le fil", reply_to=card)
            await at.trainee.say(at.room, f"{MATRIX} dans le salon")
            await at.trainee.react(remark, "📩")
            await at.consul.edit(await at.consul.say(at.room, "ah", reply_to=card), f"{MATRIX} corrigé")
            await _reply_with_quote(at, card, remark)
            answer = await _answer_to_the_remark(at, remark)
            await _edit_with_quote(at, answer, remark)
            await _edit_of_another(at, answer)
            await at.consul.say(at.room, f"!repondre Numéro {SECRET}", reply_to=card)
            await _file_among_colleagues(at, card)
            await at.consul.react(await at.trainee.say(at.room, "L'acte est vrai.", reply_to=card), "📨")
            await at.slack.expect(at.channel, "L'acte est vrai.", timeout=10)
            await at.agent.slash(at.channel, "demandes")
            await at.agent.open_home()
            shown = await at.shown_on_slack()
    assert "Voici la réponse." in shown
    assert MATRIX not in shown
    assert SECRET not in shown
    assert MATRIX not in repr(logs)


async def _reply_with_quote(at: Both, card: RoomEvent, remark: RoomEvent) -> None:
    """An answer to the card by a client that repeats what it answers to, in text and in HTML."""
    quoted = f"> <{at.trainee.user_id}> {MATRIX} cité\n> {MATRIX}\n\n"
    html = f'<mx-reply><blockquote><a href="https://matrix.to/#/{remark.id}">{MATRIX}</a></blockquote></mx-reply>'
    await at.consul.say(
        at.room, f"{quoted}!repondre Voici la réponse.", html=f"{html}!repondre Voici la réponse.", reply_to=card
    )


async def _answer_to_the_remark(at: Both, remark: RoomEvent) -> RoomEvent:
    """An answer by command, said as a reply to a colleague's remark."""
    number = typed((await at.consul.expect(at.room, "Q-", sender=BOT)).body)
    number = number[number.index("Q-") :][:12]
    quoted = f"> <{at.trainee.user_id}> {MATRIX}\n\n!repondre {number} Deuxième réponse."
    answer = await at.consul.say(at.room, quoted, reply_to=remark)
    await at.slack.expect(at.channel, "Deuxième réponse.", timeout=10)
    return answer


async def _edit_with_quote(at: Both, answer: RoomEvent, remark: RoomEvent) -> None:
    """An edit whose new text repeats what the first one answered to, as some clients do."""
    new = f"> <{at.trainee.user_id}> {MATRIX} recité\n\n!repondre Troisième version."
    content: dict[str, Any] = {
        "msgtype": "m.text",
        "body": f"> <{at.trainee.user_id}> {MATRIX}\n\n * {new}",
        "m.new_content": {"msgtype": "m.text", "body": new, "m.mentions": {}},
        "m.relates_to": {"rel_type": "m.replace", "event_id": answer.id, "m.in_reply_to": {"event_id": remark.id}},
    }
    await at.consul.send(at.room, "m.room.message", content)
    await at.slack.expect(at.channel, "Troisième version.", timeout=10)


async def _edit_of_another(at: Both, answer: RoomEvent) -> None:
    """Servers do not check whose message an edit rewrites."""
    await at.trainee.edit(answer, f"{MATRIX} de ma main")


async def _file_among_colleagues(at: Both, card: RoomEvent) -> None:
    content = {"msgtype": "m.file", "body": f"{MATRIX}.pdf", "url": "mxc://stub.test/media0", "info": {"size": 4}}
    at.stub.homeserver.media["media0"] = (MATRIX.encode(), "application/pdf")
    await at.trainee.send(at.room, "m.room.message", content)
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": card.id}}}
    await at.trainee.send(at.room, "m.room.message", {**content, **reply})


async def test_nothing_that_comes_along_crosses_from_slack(
    new_url: Callable[[str], str], tmp_path: Path, stub: MatrixStub
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with both(new_url("sqlite"), tmp_path, stub) as at:
            await at.consul.say(
                at.room, f"{BOT} La préfecture de la Moselle peut-elle vérifier une attestation à Metz ?"
            )
            card = await at.slack.expect(at.channel, "Q-", button="Prendre", timeout=10)
            remark = await at.colleague.say(at.channel, f"{SLACK} dans le fil", thread=card)
            await at.colleague.say(at.channel, f"{SLACK} dans le canal")
            await at.colleague.react(remark, "envelope")
            await at.colleague.upload(at.channel, f"{SLACK}.pdf", SLACK.encode(), comment=SLACK, thread=card)
            await _previewed(at, remark, card)
            await at.agent.shortcut("repondre", remark)
            await at.agent.click(card, "Prendre")
            rewritten = await at.colleague.say(at.channel, SLACK, thread=card)
            await at.colleague.edit(rewritten, "L'attestation est vraie.")
            await at.agent.react(rewritten, "incoming_envelope")
            await at.consul.expect(at.room, "L'attestation est vraie.", sender=BOT)
            await at.agent.say(at.channel, f"{at.slack.mention} repondre Numéro {SECRET}", thread=card)
            await at.agent.say(at.channel, f"{at.slack.mention} repondre Fin.", thread=card)
            await at.consul.expect(at.room, "Fin.", sender=BOT)
            shown = at.shown_on_matrix()
    assert "Voir le lien" in shown
    assert SLACK not in shown
    assert SECRET not in shown
    assert SLACK not in repr(logs)


async def _previewed(at: Both, remark: Post, card: Post) -> None:
    """An answer with a link to a colleague's remark, which Slack then shows beneath it."""
    link = f"https://passerelle.slack.com/archives/{at.channel.id}/p{remark.ts.replace('.', '')}"
    said = await at.agent.say(at.channel, f"{at.slack.mention} repondre Voir le lien {link}", thread=card)
    await at.slack.call("unfurl", channel=at.channel.id, ts=said.ts, url=link, title=f"{SLACK} en aperçu")
    await asyncio.sleep(0.1)
