"""The platforms that the settings name, each with its memory and with whom it tells its state to."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from bot.app import App, Coming, State
from bot.db import Database
from bot.errors import ConfigurationError
from bot.jobs import leases
from bot.jobs.tenure import Office
from bot.memory import PlatformMemory
from bot.message import Address
from bot.platforms import Alone, Live, Platform
from bot.questions.find import live_threads
from config.settings import Settings

log = structlog.get_logger()


def add(app: App, platform: Platform, queues: set[str]) -> None:
    """Give a bot a platform, and the queues of jobs that it serves; one that runs alone does once it is connected."""
    app.platforms[platform.name] = platform
    app.worker.queues |= set() if isinstance(platform, Alone) else queues
    app.states.setdefault(platform.name, State())


def live(database: Database, platform: str) -> Live:
    """Return how a platform learns in which threads it is spoken to."""

    async def threads() -> list[Address]:
        return await database.run(lambda session: live_threads(session, platform))

    return threads


def reporter(app: App, platform: str) -> Callable[..., None]:
    """Return how a platform tells its state: it is logged when it changes, and what waits goes on at once."""

    def report(ok: bool, reason: str = "") -> None:
        state = app.states[platform]
        state.heard_at = app.clock() if ok else state.heard_at
        if state.ok == ok and state.reason == reason:
            return
        if ok:
            log.info("platform_ok", platform=platform, **({"reason": reason} if reason else {}))
        else:
            log.warning("platform_down", platform=platform, reason=reason)
        if ok and not state.ok:
            if platform in app.offices and app.offices[platform].holds:
                app.worker.queues.add(platform)
            hurry = asyncio.ensure_future(app.database.run(lambda s: leases.hurry(s, platform, app.clock())))
            hurry.add_done_callback(lambda done: done.exception())
        state.ok, state.reason, state.ever = ok, reason, state.ever or ok
        if all(each.ever for each in app.states.values()):
            app.connected.set()

    return report


def connect(app: App) -> None:
    """Add the platforms that the settings name; the others are not even imported.

    To load Matrix takes a fifth of a second, in which what waits elsewhere can be said.
    """
    if app.settings.slack is not None:
        from bot.platforms import slack  # noqa: PLC0415 -- only when configured

        memory = PlatformMemory(app.database, "slack")
        options = slack_options(app.settings)
        add(
            app,
            slack.SlackPlatform(
                options,
                memory=memory,
                report=reporter(app, "slack"),
                live=live(app.database, "slack"),
                alone=lambda: app.peers.alone,
            ),
            {"slack"},
        )
    if app.settings.matrix is not None:
        app.offices["matrix"] = Office(app.database, "matrix", app.worker.owner, app.clock)
        app.states["matrix"] = State()
        app.coming.append(Coming("bot.platforms.matrix", lambda: _matrix(app)))


def _matrix(app: App) -> Platform:
    from bot.platforms import matrix  # noqa: PLC0415 -- only when configured

    platform = matrix.MatrixPlatform(
        matrix_options(app.settings),
        memory=PlatformMemory(app.database, "matrix", app.offices["matrix"].require),
        report=reporter(app, "matrix"),
        live=live(app.database, "matrix"),
    )
    add(app, platform, {"matrix"})
    return platform


def slack_options(settings: Settings) -> Any:
    """Return the Slack section as that platform takes it."""
    from bot.platforms import slack  # noqa: PLC0415 -- only when configured

    own = settings.slack
    if own is None:
        raise ConfigurationError("slack: not configured")
    return slack.SlackOptions(
        bot_token=own.bot_token.get_secret_value(),
        app_token=own.app_token.get_secret_value(),
        signing_secret=own.signing_secret.get_secret_value(),
        mode=own.mode,
        api_url=own.api_url,
        trust_email=own.trust_email,
    )


def matrix_options(settings: Settings) -> Any:
    """Return the Matrix section as that platform takes it."""
    from bot.platforms import matrix  # noqa: PLC0415 -- only when configured

    own = settings.matrix
    if own is None:
        raise ConfigurationError("matrix: not configured")
    return matrix.MatrixOptions(
        homeserver=own.homeserver,
        user_id=own.user_id,
        password=own.password.get_secret_value(),
        access_token=own.access_token.get_secret_value(),
        device_id=own.device_id,
        store_key=own.store_key.get_secret_value(),
        allowed_servers=own.allowed_servers,
        trust=own.trust,
        reactions=own.reactions,
        identity_reset=own.identity_reset,
        store=settings.data_dir / "matrix",
        language=settings.language,
        pace=1 / own.requests_per_second if own.requests_per_second else 0.0,
    )
