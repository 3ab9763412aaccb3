"""Every way by which words could cross that must not: tried with canaries, side doors included; none arrives.

The ways are one list, `tests.stories.ways`. Here all are gone on the stage; in `make test` a few of them, another few each
time, on the platforms themselves, and all of them in `make proof`.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.card import to_text
from bot.db import Database
from bot.directory import identity
from bot.health import metrics
from bot.life import tick
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.lived import everything
from tests.stories.platforms import Platforms, on_platforms
from tests.stories.scene import Clock, Place, Scene, named_by_account, scene
from tests.stories.ways import CANARY, COLIBRI, SECRET, Ground, Kind, Way, Where, assert_kept, ground, ways

_DRAW = random.Random(int(os.environ.get("TEST_SEED", "0")))


def tried(where: Where, *kinds: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", ways(where, *kinds), ids=str)


async def keeps(at: Ground, way: Way) -> None:
    """Go a way; what must not cross by it does not."""
    with structlog.testing.capture_logs() as logs:
        await way.do(at)
        match way.kind:
            case "remark":
                await assert_kept(at, (COLIBRI, at.prefecture), (CANARY, at.consulate))
                if not way.offered:
                    _stored_nowhere(at)
            case "marked":
                await assert_kept(at, (CANARY, at.consulate))
                _stored_nowhere(at)
            case "sealed":
                await assert_kept(at, (CANARY, at.consulate))
            case "identifier":
                await assert_kept(at, (SECRET, at.consulate))
                assert "34567" not in at.prefecture.transcript()
            case "asked":
                await _not_shown_to_who_is_asked(at)
    told = repr(logs) + await metrics(at.play.app)
    assert not [canary for canary in (CANARY, COLIBRI, SECRET) if canary in told]


def _stored_nowhere(at: Ground) -> None:
    """What is not stored cannot leave by an export, a backup, an audit or a replay."""
    stored = everything(at.play.app.database)
    for canary in (CANARY, COLIBRI):
        assert canary not in stored, stored[max(0, stored.find(canary) - 300) : stored.find(canary) + 100]


async def _not_shown_to_who_is_asked(at: Ground) -> None:
    await tick(at.play.app)
    for place in (at.consulate, at.munich):
        await place.say(f"!voir {at.number}", mention=False)
        await place.say("!demandes", mention=False)
        place.sees_not(SECRET)
        place.sees_not("34567")
    assert SECRET not in await at.play.shown_beside([at.prefecture.room])


@pytest.mark.one_in(4)
@tried("stage", "remark", "identifier", "asked", "sealed", "marked")
async def test_what_must_not_cross_does_not(database: Database, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "person_of", named_by_account)
    async with scene(database) as play:
        await keeps(await staged(play, sealed=way.kind == "sealed"), way)


async def test_a_room_that_agrees_is_relayed(database: Database) -> None:
    """The other way round: these tests would see what crosses."""
    async with scene(database) as play:
        at = await staged(play, sealed=True, relay_unencrypted=True)
        await at.consulate.say(f"!repondre {CANARY}", mention=False, thread=at.card)
        assert CANARY in to_text(at.prefecture.sees(CANARY).card)
        with pytest.raises(AssertionError):
            await assert_kept(at, (CANARY, at.consulate))


async def staged(play: Scene, *, sealed: bool, relay_unencrypted: bool = False) -> Ground:
    columns: dict[str, Any] = {"encrypted": True, "relay_unencrypted": relay_unencrypted} if sealed else {}
    prefecture, consulate = play.link("prefecture-57"), play.link("consulat-francfort", **columns)
    return await ground(play, prefecture, Place(play, consulate.room, encrypted=sealed))


# --- on the platforms themselves


@pytest.fixture
def database(new_url: Callable[[str], str]) -> Iterator[Database]:
    made = Database(new_url("sqlite"))
    yield made
    made.close()


async def slack_keeps(database: Database, folder: Path, way: Way) -> None:
    """Go a way where all rooms are channels of a Slack."""
    async with on_platforms(database, folder, clock=Clock()) as play:
        await keeps(await settled_in(play), way)


async def matrix_keeps(database: Database, folder: Path, way: Way, homeserver: Synapse, strict: StrictClients) -> None:
    """Go a way where the side whose words must not cross is in an encrypted room; the others are on Slack."""
    side = "prefecture-57" if way.kind == "asked" else "consulat-francfort"
    people = ("agent", "collegue" if way.kind == "asked" else "stagiaire")
    matrix = (side, people, (homeserver, strict))
    async with on_platforms(database, folder, clock=Clock(), matrix=matrix, guests=way.guests) as play:
        await keeps(await settled_in(play, relay=way.kind != "sealed"), way)


async def settled_in(play: Platforms, *, relay: bool = True) -> Ground:
    columns = {"relay_unencrypted": relay}
    prefecture, consulate = (play.link(name, **columns) for name in ("prefecture-57", "consulat-francfort"))
    return await ground(play, prefecture, consulate)


@pytest.mark.parametrize("way", _DRAW.sample(ways("slack", "remark", "identifier", "asked", "marked"), 2), ids=str)
async def test_some_ways_on_slack(database: Database, tmp_path: Path, way: Way) -> None:
    await slack_keeps(database, tmp_path, way)


@pytest.mark.parametrize(
    "way", _DRAW.sample(ways("matrix", "remark", "identifier", "asked", "sealed", "marked"), 1), ids=str
)
async def test_some_ways_from_an_encrypted_room(
    database: Database, tmp_path: Path, way: Way, synapse: Synapse, strict: StrictClients
) -> None:
    await matrix_keeps(database, tmp_path, way, synapse, strict)


@pytest.mark.proof
@tried("slack", "remark", "identifier", "asked", "marked")
async def test_what_must_not_cross_does_not_on_slack(database: Database, tmp_path: Path, way: Way) -> None:
    await slack_keeps(database, tmp_path, way)


@pytest.mark.proof
@tried("matrix", "remark", "identifier", "asked", "sealed", "marked")
async def test_what_must_not_cross_does_not_from_an_encrypted_room(
    database: Database, tmp_path: Path, way: Way, synapse: Synapse, strict: StrictClients
) -> None:
    await matrix_keeps(database, tmp_path, way, synapse, strict)
