"""A real Matrix homeserver for tests and the demonstration: Synapse on loopback, SQLite, every limit raised.

async with Synapse(tmp_path) as homeserver:
    account = await homeserver.register("agent", "secret")
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.servers import processes

_PASSED_AT_ONCE = {"per_second": 1_000_000, "burst_count": 1_000_000}
_LIMITS: dict[str, Any] = {
    "rc_message": _PASSED_AT_ONCE,
    "rc_registration": _PASSED_AT_ONCE,
    "rc_registration_token_validity": _PASSED_AT_ONCE,
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _PASSED_AT_ONCE),
    "rc_admin_redaction": _PASSED_AT_ONCE,
    "rc_joins": dict.fromkeys(("local", "remote"), _PASSED_AT_ONCE),
    "rc_joins_per_room": _PASSED_AT_ONCE,
    "rc_key_requests": _PASSED_AT_ONCE,
    "rc_3pid_validation": _PASSED_AT_ONCE,
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _PASSED_AT_ONCE),
    "rc_third_party_invite": _PASSED_AT_ONCE,
    "rc_media_create": _PASSED_AT_ONCE,
    "rc_presence": {"per_user": _PASSED_AT_ONCE},
    "rc_delayed_event_mgmt": _PASSED_AT_ONCE,
    "rc_room_creation": _PASSED_AT_ONCE,
    "rc_reports": _PASSED_AT_ONCE,
    "rc_user_directory": _PASSED_AT_ONCE,
    "rc_profile": _PASSED_AT_ONCE,
}


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user. `access_token` and `device_id` are those of the device that registering made."""

    user_id: str
    password: str
    access_token: str
    device_id: str


class Synapse:
    """One homeserver process; its data stay in `directory` over `stop`, `kill` and `start`.

    `limits` replaces some of the raised rate limits, for tests of a server that says 429 by itself.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        server_name: str = "passerelle.test",
        limits: dict[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.server_name = server_name
        self.port = port or processes.free_port()
        self.url = f"http://{processes.LOOPBACK}:{self.port}"
        self.log = directory / "homeserver.log"
        self._limits = _LIMITS | (limits or {})
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()  # Nobody needs its last words: a clean stop takes longer than the start.

    async def start(self) -> None:
        """Start, or start again on the same port with the same data; return when it answers."""
        self._process = processes.spawn(
            [sys.executable, "-m", "synapse.app.homeserver", "-c", self._configure()],
            log=self.directory / "process.log",
            cwd=self.directory,
        )
        await processes.wait_ready(self._process, lambda: processes.accepts(self.port), log=self.log)

    async def stop(self) -> None:
        """End it politely: it finishes what it is doing."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop and start: connections break, data and address stay."""
        await self.stop()
        await self.start()

    async def register(self, localpart: str, password: str, *, admin: bool = False) -> Account:
        """Create a user, logged in on a first device."""
        answer = await self._register(localpart, password, admin=admin)
        return Account(answer["user_id"], password, answer["access_token"], answer["device_id"])

    async def _register(self, localpart: str, password: str, *, admin: bool) -> dict[str, Any]:
        url = f"{self.url}/_synapse/admin/v1/register"
        async with aiohttp.ClientSession(raise_for_status=_raise_with_text) as session:
            async with session.get(url) as response:
                nonce = (await response.json())["nonce"]
            role = b"admin" if admin else b"notadmin"
            signed = b"\x00".join((nonce.encode(), localpart.encode(), password.encode(), role))
            mac = hmac.new(self._shared_secret().encode(), signed, hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
            async with session.post(url, json=body) as response:
                answer: dict[str, Any] = await response.json()
                return answer

    async def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            await processes.stop(self._process, by=by)
            self._process = None

    def _shared_secret(self) -> str:
        """The secret that lets us register users; kept, so that a later run can use the same data."""
        kept = self.directory / "registration.secret"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(32))
        return kept.read_text()

    def _configure(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        logging = self.directory / "logging.json"
        logging.write_text(json.dumps(_log_settings(self.log)))
        config = self.directory / "homeserver.json"  # JSON is YAML.
        config.touch(mode=0o600)
        config.write_text(json.dumps(self._settings(logging), indent=1))
        key = self.directory / "signing.key"
        if not key.exists():
            seed = secrets.token_bytes(32)
            key.write_text(f"ed25519 a_1 {base64.b64encode(seed).decode().rstrip('=')}\n")
        return config

    def _settings(self, logging: Path) -> dict[str, Any]:
        listener = {
            "port": self.port,
            "type": "http",
            "bind_addresses": [processes.LOOPBACK],
            "resources": [{"names": ["client"], "compress": False}],
        }
        return {
            "server_name": self.server_name,
            "public_baseurl": self.url,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self.directory / "homeserver.db")}},
            "log_config": str(logging),
            "media_store_path": str(self.directory / "media"),
            "signing_key_path": str(self.directory / "signing.key"),
            "registration_shared_secret": self._shared_secret(),
            "enable_registration": False,
            "bcrypt_rounds": 4,  # The strength of passwords is not under test; their cost is 100 ms each.
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
            "report_stats": False,
            **self._limits,
        }


def _log_settings(log: Path) -> dict[str, Any]:
    handler = {"class": "logging.FileHandler", "filename": str(log), "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"file": handler},
        "root": {"level": "WARNING", "handlers": ["file"]},
    }


async def _raise_with_text(response: aiohttp.ClientResponse) -> None:
    if not response.ok:
        msg = f"{response.url} answered {response.status}: {await response.text()}"
        raise RuntimeError(msg)


async def serve(directory: Path, *, port: int, accounts: dict[str, str]) -> None:
    """For a demonstration: run until cancelled, keep the data, create the missing accounts (localpart: password)."""
    homeserver = Synapse(directory, port=port)
    await homeserver.start()
    try:
        for localpart, password in accounts.items():
            await _register_once(homeserver, localpart, password)
        await asyncio.Event().wait()
    finally:
        await homeserver.stop()


async def _register_once(homeserver: Synapse, localpart: str, password: str) -> None:
    try:
        await homeserver.register(localpart, password)
    except RuntimeError as error:
        if "M_USER_IN_USE" not in str(error):
            raise
