"""Who we are on the homeserver: one device and its access token, kept for ever.

Logging in at each start would make a new device each time, and transaction ids deduplicate per device only; after five
logins Synapse also refuses for minutes.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.errors import ConfigurationError
from bot.platforms.matrix import private
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.wire import Homeserver, HomeserverError, TokenIsDead

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """A device of the bot's account, and the token it speaks with."""

    user_id: str
    device_id: str
    access_token: str


def kept_in(folder: Path) -> Path:
    """Return the file that holds the session."""
    return folder / "session"


async def open_session(home: Homeserver, options: MatrixOptions) -> Session:
    """Return the kept session, or make the first one; `home` speaks with its token from now on.

    Raises ConfigurationError when the homeserver does not accept what the operator gave.
    """
    file = kept_in(options.store)
    kept = await asyncio.to_thread(private.read, file, options.store_key)  # the key is slow to stretch, on purpose
    if kept is not None and kept["user_id"] == options.user_id and _still_wanted(options, kept["access_token"]):
        session = Session(kept["user_id"], kept["device_id"], kept["access_token"])
        home.token = session.access_token
        return await _confirmed(home, options, session)
    if options.access_token:
        session = Session(options.user_id, options.device_id, options.access_token)
        home.token = session.access_token
        return await _confirmed(home, options, session)
    return await log_in(home, options, options.device_id)


async def log_in(home: Homeserver, options: MatrixOptions, device_id: str = "") -> Session:
    """Log in with the password, on a new device unless one is named, and keep the session.

    Raises ConfigurationError when there is no password or it is not accepted.
    """
    if not options.password:
        message = "matrix.password: empty; expected the account's password, to make a new device"
        raise ConfigurationError(message)
    home.token = ""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": options.user_id},
        "password": options.password,
        "initial_device_display_name": "Passerelle",
        **({"device_id": device_id} if device_id else {}),
    }
    try:
        answer = await home.post("login", body=body)
    except HomeserverError as error:
        if error.passing:
            raise
        message = f"matrix.password: the homeserver refused the login of {options.user_id} ({error})"
        raise ConfigurationError(message) from error
    session = Session(str(answer["user_id"]), str(answer["device_id"]), str(answer["access_token"]))
    home.token = session.access_token
    _keep(options, session)
    log.info("matrix.logged_in", device=session.device_id)
    return session


async def log_out(home: Homeserver) -> None:
    """Give up the present device, so that nobody sends keys to it any more; a failure changes nothing for us."""
    try:
        await home.post("logout", body={})
    except HomeserverError as error:
        log.warning("matrix.old_device_remains", error=str(error))


def _still_wanted(options: MatrixOptions, kept_token: str) -> bool:
    """A token in the configuration that differs from the kept one was put there to replace it."""
    return options.access_token in {"", kept_token}


async def _confirmed(home: Homeserver, options: MatrixOptions, session: Session) -> Session:
    """Ask the homeserver whose token this is (spec: whoami), and keep the answer."""
    try:
        answer = await home.get("account", "whoami")
    except HomeserverError as error:
        if not error.token_is_dead:
            raise
        if TokenIsDead(error).soft_logout and options.password:
            return await log_in(home, options, session.device_id)
        raise dead_token(options) from error
    device = str(answer.get("device_id") or session.device_id)
    if answer["user_id"] != options.user_id or (session.device_id and device != session.device_id):
        message = f"matrix.access_token: belongs to {answer['user_id']} on {device}; expected {options.user_id}"
        raise ConfigurationError(message + (f" on {session.device_id}" if session.device_id else ""))
    confirmed = Session(session.user_id, device, session.access_token)
    if private.read(kept_in(options.store), options.store_key) != _shown(confirmed):
        _keep(options, confirmed)
    return confirmed


def dead_token(options: MatrixOptions) -> ConfigurationError:
    """Say that the homeserver does not know our device any more, and what helps."""
    return ConfigurationError(
        f"matrix.access_token: the homeserver no longer accepts the token of {options.user_id}; expected a new token, "
        f"or a password once {kept_in(options.store)} is moved away"
    )


def _keep(options: MatrixOptions, session: Session) -> None:
    private.write(kept_in(options.store), _shown(session), options.store_key)


def _shown(session: Session) -> dict[str, str]:
    return {"user_id": session.user_id, "device_id": session.device_id, "access_token": session.access_token}
