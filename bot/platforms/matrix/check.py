"""Whether the homeserver would accept us, without logging in or listening."""

from bot.errors import ConfigurationError
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.session import kept_in, open_session
from bot.platforms.matrix.wire import Homeserver, HomeserverError, Unreachable


async def check(options: MatrixOptions) -> tuple[bool, str]:
    """Return whether the homeserver answers and the kept login works, or what to do."""
    home = Homeserver(options.homeserver)
    try:
        if kept_in(options.store).exists():
            session = await open_session(home, options)
            return True, f"{session.user_id} on device {session.device_id}"
        await home.get("login")
    except (HomeserverError, Unreachable) as error:
        return False, f"{error}; see matrix.homeserver and the account"
    except ConfigurationError as error:
        return False, str(error)
    finally:
        await home.close()
    return True, "the homeserver answers; the bot has not logged in yet"
