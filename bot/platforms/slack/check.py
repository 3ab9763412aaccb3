"""Whether Slack would accept us, without listening to it."""

from bot.errors import SendError
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.web import Web, call


async def check(options: SlackOptions) -> tuple[bool, str]:
    """Return whether the tokens work, and as whom, or what to do."""
    web = Web(options)
    try:
        who = await call(web.client.auth_test)
        if options.mode == "socket":
            await call(web.client.apps_connections_open, app_token=options.app_token)
    except SendError as error:
        return False, f"{error}; see slack.bot_token, slack.app_token and slack.api_url"
    finally:
        await web.close()
    return True, f"{who.get('user')} in {who.get('team')}"
