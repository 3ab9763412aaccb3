"""What the platform must be told, and who the bot turns out to be."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """Tokens and addresses of one Slack app in one workspace; secrets stay out of every `repr`."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    mode: Literal["socket", "http"] = "socket"
    api_url: str = "https://slack.com/api/"
    pace: float = 1.0  # 1 keeps the documented calls a minute, and the pauses between attempts; 0 waits for nothing
    timeout: float = 15.0  # seconds for one call of the Web API
    trust_email: tuple[str, ...] = ()  # domains whose verified addresses say who somebody is


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot's own account, as `auth.test` tells it."""

    team: str
    user: str
    bot: str
    name: str = "passerelle"
