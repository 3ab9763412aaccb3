"""The bot's own keys against a real homeserver: made once, healed after a crash, never taken over in silence."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import ConfigurationError
from bot.message import Message
from bot.platforms.matrix import crosssigning, private
from bot.platforms.matrix.crosssigning import Identity, IdentityFile, IdentityMismatch
from bot.platforms.matrix.machine import open_machine
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.session import Session
from bot.platforms.matrix.wire import Homeserver, HomeserverError
from tests.platforms.matrix.conftest import Bot, House, InMemory
from tests.servers.proxy import FaultyProxy


class Setup:
    """An account whose device has keys, before anything is signed."""

    def __init__(self, home: Homeserver, file: IdentityFile, account: Any, folder: Path) -> None:
        self.home, self.file, self.account, self.folder = home, file, account, folder

    async def ensure(self) -> list[str]:
        return await crosssigning.ensure(self.home, self.file, self.account.user_id, self.account.device_id)

    async def reset(self, password: str) -> list[str]:
        return await crosssigning.reset(self.home, self.file, self.account.user_id, self.account.device_id, password)


@pytest.fixture
async def setup(house: House, tmp_path: Path) -> Any:
    person = await house.person(encrypts=True, sign=False)
    home = Homeserver(house.homeserver.url)
    home.token = person.account.access_token
    folder = tmp_path / "store"
    private.prepare_folder(folder)
    yield Setup(home, IdentityFile(folder, person.user_id, "key"), person.account, folder)
    await home.close()


async def test_made_once_and_then_nothing_is_written(setup: Setup) -> None:
    assert await setup.ensure() == ["keys", "signature"]
    before = {file: file.stat().st_mtime_ns for file in setup.folder.iterdir()}
    assert await setup.ensure() == []
    assert {file: file.stat().st_mtime_ns for file in setup.folder.iterdir()} == before
    there = await crosssigning.own_keys(setup.home, setup.account.user_id)
    for usage in ("master", "self_signing", "user_signing"):  # the last is for whoever verifies from this account
        assert setup.account.user_id in there[f"{usage}_keys"]
    assert stat.S_IMODE((setup.folder / "identity").stat().st_mode) == 0o600
    assert stat.S_IMODE(setup.folder.stat().st_mode) == 0o700


async def test_killed_between_disk_and_upload_heals(setup: Setup) -> None:
    identity = Identity.generate(setup.account.user_id)
    setup.file.prepare(identity)
    assert await setup.ensure() == ["keys", "signature"]
    current = setup.file.current()
    assert current is not None
    assert current.master.public == identity.master.public


async def test_killed_between_upload_and_rename_heals(setup: Setup) -> None:
    await setup.ensure()
    (setup.folder / "identity").rename(setup.folder / "identity.new")
    assert await setup.ensure() == []
    assert setup.file.current() is not None
    assert setup.file.coming() is None


async def test_a_new_identity_that_the_homeserver_never_got_is_forgotten(setup: Setup) -> None:
    await setup.ensure()
    kept = setup.file.current()
    setup.file.prepare(Identity.generate(setup.account.user_id))
    assert await setup.ensure() == []
    assert setup.file.coming() is None
    assert setup.file.current() == kept or kept is not None


async def test_a_lost_file_stops_and_says_what_helps(setup: Setup) -> None:
    await setup.ensure()
    (setup.folder / "identity").unlink()
    with pytest.raises(IdentityMismatch, match="reset-identity"):
        await setup.ensure()
    assert setup.file.coming() is None


async def test_an_explicit_reset_needs_the_right_password_and_leaves_all_as_it_was_without(setup: Setup) -> None:
    await setup.ensure()
    before = (setup.folder / "identity").read_bytes()
    for password in ("", "wrong"):
        with pytest.raises(ConfigurationError, match=r"matrix\.password"):
            await setup.reset(password)
    assert (setup.folder / "identity").read_bytes() == before
    assert await setup.ensure() == []
    assert await setup.reset(setup.account.password) == ["keys", "signature"]
    assert await setup.ensure() == []


async def test_a_new_device_is_signed_without_a_password(setup: Setup, house: House, tmp_path: Path) -> None:
    await setup.ensure()
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": setup.account.user_id},
        "password": "secret",
    }
    answer = await setup.home.post("login", body=body)
    setup.home.token = answer["access_token"]
    own = Session(setup.account.user_id, answer["device_id"], answer["access_token"])
    machine = open_machine(own, setup.folder, "key", 0)
    await setup.home.post("keys", "upload", body=machine.share_keys())
    machine.store.database.close()
    assert await crosssigning.ensure(setup.home, setup.file, own.user_id, own.device_id) == ["signature"]


async def test_a_refused_signature_is_an_answer_200_and_is_noticed(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = setup.home.post

    async def refusing(*path: str, **more: Any) -> Any:
        if path == ("keys", "signatures", "upload"):
            ((user, devices),) = more["body"].items()
            ((device, signed),) = devices.items()
            signed = {**signed, "algorithms": ["changed"]}
            return await post(*path, body={user: {device: signed}})
        return await post(*path, **more)

    monkeypatch.setattr(setup.home, "post", refusing)
    with pytest.raises(ConfigurationError, match="refused the signature"):
        await setup.ensure()


async def test_a_reset_and_a_running_bot_take_turns(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    await setup.ensure()
    upload = crosssigning._upload

    async def slow(*arguments: Any) -> None:
        await upload(*arguments)
        await asyncio.sleep(0.3)  # the homeserver has the new keys, the file does not say so yet

    monkeypatch.setattr(crosssigning, "_upload", slow)
    beside = IdentityFile(setup.folder, setup.account.user_id, "key")
    done = await asyncio.gather(
        setup.reset("secret"),
        crosssigning.ensure(setup.home, beside, setup.account.user_id, setup.account.device_id),
    )
    assert done[0] == ["keys", "signature"]
    assert await setup.ensure() == []


async def test_a_homeserver_that_wants_a_person_to_approve_is_believed(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asking(*path: str, **more: Any) -> Any:
        url = {"url": "https://account.a.fr/approve"}
        raise HomeserverError(401, {"flows": [{"stages": ["m.oauth"]}], "params": {"m.oauth": url}, "session": "x"})

    monkeypatch.setattr(setup.home, "post", asking)
    with pytest.raises(ConfigurationError, match=r"https://account\.a\.fr/approve"):
        await setup.reset("secret")


async def test_the_first_set_up_needs_no_password(house: House) -> None:
    account = await house.homeserver.register("nopassword", "secret")
    folder = house.folder / "nopassword"
    bot = await house.again(account, folder, InMemory(), password="", access_token=account.access_token)
    assert bot.platform.fingerprint()


async def test_the_fingerprint_is_the_master_key_in_groups_of_four(house: House) -> None:
    bot = await house.bot(start=False)
    assert bot.platform.fingerprint() is None
    with capture_logs() as log:
        await bot.start()
    shown = bot.platform.fingerprint()
    assert shown is not None
    assert [entry["fingerprint"] for entry in log if entry["event"] == "matrix.ready"] == [shown]
    answer = await bot.platform._home.post("keys", "query", body={"device_keys": {bot.user_id: []}})
    assert shown.replace(" ", "") in str(answer["master_keys"])
    assert {len(group) for group in shown.split(" ")[:-1]} == {4}


async def test_an_identity_reset_by_somebody_else_stops_the_running_bot(house: House, tmp_path: Path) -> None:
    bot = await house.bot()
    connected = bot.platform._connected
    assert connected is not None
    elsewhere = IdentityFile(tmp_path, bot.user_id, "key")
    home = Homeserver(house.homeserver.url)
    home.token = bot.platform._home.token
    await crosssigning.reset(home, elsewhere, bot.user_id, connected.session.device_id, "secret")
    await home.close()
    assert isinstance(await bot.ends(), IdentityMismatch)


async def test_our_own_reset_from_another_process_is_taken_over(house: House) -> None:
    bot = await house.bot()
    beside = await house.again(bot.account, bot.options.store, bot.memory, start=False)
    before = bot.platform.fingerprint()
    assert await beside.platform.reset_identity("secret") == ["keys", "signature"]
    agent = await house.person(encrypts=True)
    room = await agent.room(bot.user_id, encrypted=True)
    await bot.joined(room)
    await agent.whispers(room, "toujours là")
    await bot.gets(Message, text="toujours là")
    assert bot.platform.fingerprint() != before


def machine_of(bot: Bot) -> Any:
    assert bot.platform._connected is not None
    return bot.platform._connected.machine


async def test_a_lost_key_store_is_noticed_and_replaced_by_a_new_device(house: House) -> None:
    bot = await house.bot()
    device = machine_of(bot).device_id
    await bot.stop()
    for file in bot.options.store.glob("keys-*"):
        file.unlink()
    bot = await house.restarted(bot)
    assert machine_of(bot).device_id != device
    assert any(not ok and "key store" in reason for ok, reason in bot.reports)
    devices = await bot.platform._home.get("devices")
    assert device not in {d["device_id"] for d in devices["devices"]}  # nobody sends keys to the deaf one any more
    agent = await house.person(encrypts=True)
    room = await agent.room(bot.user_id, encrypted=True)
    await bot.joined(room)
    await agent.whispers(room, "entendu ?")
    await bot.gets(Message, text="entendu ?")
    assert bot.reports[-1] == (True, "")


async def test_a_lost_key_store_without_a_password_stops_with_a_clear_word(house: House) -> None:
    account = await house.homeserver.register("lostkeys", "secret")
    options: dict[str, Any] = {"password": "", "access_token": account.access_token}
    bot = await house.again(account, house.folder / "lostkeys", InMemory(), **options)
    await bot.stop()
    for file in bot.options.store.glob("keys-*"):
        file.unlink()
    again = await house.restarted(bot, start=False, **options)
    with pytest.raises(ConfigurationError, match="key store"):
        await again.platform.start()


async def test_a_key_store_restored_from_an_old_copy_is_noticed(house: House) -> None:
    bot = await house.bot()
    device = machine_of(bot).device_id
    await bot.stop()
    (store,) = bot.options.store.glob("keys-*.db")
    old = store.read_bytes()
    bot = await house.restarted(bot)
    agent = await house.person()
    body = {"one_time_keys": {bot.user_id: {device: "signed_curve25519"}}}
    for _ in range(2):
        await agent.api("POST", "keys", "claim", body=body)
    await agent.room(bot.user_id)
    machine = machine_of(bot)
    async with asyncio.timeout(5):
        while machine.uploaded_key_count != 50 or not any(v for v in bot.inbox):
            await asyncio.sleep(0.02)
    await bot.stop()
    store.write_bytes(old)
    bot = await house.restarted(bot)
    await agent.api("POST", "keys", "claim", body=body)
    await agent.room(bot.user_id)
    async with asyncio.timeout(10):
        while bot.platform._connected is None or machine_of(bot).device_id == device:
            await asyncio.sleep(0.02)
    assert any("old copy" in reason for _, reason in bot.reports)


async def test_keys_from_a_backup_are_used_no_more(house: House) -> None:
    """They would open, and look alive: a new device takes their place, under the same identity."""
    bot = await house.bot()
    device, identity = machine_of(bot).device_id, bot.platform.fingerprint()
    await bot.stop()
    (bot.options.store / "restored").touch()
    bot = await house.restarted(bot)
    assert machine_of(bot).device_id != device
    assert bot.platform.fingerprint() == identity
    assert any("backup" in reason for ok, reason in bot.reports if not ok)
    devices = await bot.platform._home.get("devices")
    assert device not in {d["device_id"] for d in devices["devices"]}
    bot = await house.restarted(bot)
    assert {device, machine_of(bot).device_id} == {device, bot.platform._connected.session.device_id}  # type: ignore[union-attr]


async def test_another_store_key_opens_nothing_and_is_named_without_being_told(house: House) -> None:
    bot = await house.bot()
    await bot.stop()
    again = await house.restarted(bot, start=False, store_key="unlike the first")
    with pytest.raises(ConfigurationError, match=r"matrix\.store_key") as caught:
        await again.platform.start()
    assert "unlike" not in str(caught.value)


async def test_nothing_in_the_store_is_readable_by_others_or_holds_a_secret_in_clear(house: House) -> None:
    bot = await house.bot()
    token = bot.platform._home.token
    assert stat.S_IMODE(bot.options.store.stat().st_mode) == 0o700
    identity = IdentityFile(bot.options.store, bot.user_id, "the key").current()
    assert identity is not None
    for file in bot.options.store.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        for secret in (token, identity.master.text, identity.self_signing.text):
            assert secret.encode() not in file.read_bytes()


async def test_a_wrong_password_is_an_operators_matter(house: House) -> None:
    bot = await house.bot(start=False, password="wrong")
    with pytest.raises(ConfigurationError, match=r"matrix\.password") as caught:
        await bot.platform.start()
    assert "wrong" not in str(caught.value)


async def test_a_login_that_must_wait_waits(house: House, proxy: FaultyProxy) -> None:
    fault = proxy.fault("POST .*/login", status=429, retry_after_ms=300, times=1)
    bot = await house.bot(homeserver=proxy.url)
    assert fault.hits == 1
    assert proxy.counts["POST login"] == 2
    assert bot.reports[-1][0]


@pytest.mark.parametrize(
    ("key", "value"),
    [("homeserver", "matrix.example.org"), ("user_id", "passerelle"), ("store_key", ""), ("password", "")],
)
def test_options_without_which_nothing_works_are_named(key: str, value: Any, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "homeserver": "https://a.fr",
        "user_id": "@passerelle:a.fr",
        "store": tmp_path,
        "store_key": "k",
        "password": "p",
    }
    with pytest.raises(ConfigurationError, match=rf"matrix\.{key}"):
        MatrixOptions(**(given | {key: value})).checked()
    assert MatrixOptions(**given).checked()


async def test_a_soft_logout_gets_a_new_token_for_the_same_device(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await house.bot()
    device = machine_of(bot).device_id
    home, token = bot.platform._home, bot.platform._home.token
    logged_out = HomeserverError(401, {"errcode": "M_UNKNOWN_TOKEN", "soft_logout": True})

    def once(real: Any, *, whoami: bool) -> Any:
        left = [logged_out]

        async def request(*arguments: Any, **more: Any) -> Any:
            if left and whoami == (arguments[-1] == "whoami"):
                raise left.pop()
            return await real(*arguments, **more)

        return request

    monkeypatch.setattr(home, "sync", once(home.sync, whoami=False))
    monkeypatch.setattr(home, "get", once(home.get, whoami=True))
    agent = await house.person()
    room = await agent.room(bot.user_id)
    await bot.joined(room)
    assert machine_of(bot).device_id == device
    assert home.token != token
