"""Slack: the one package that knows slack-bolt and slack-sdk."""

from bot.platforms.slack.adapter import SlackPlatform
from bot.platforms.slack.options import SlackOptions

__all__ = ["SlackOptions", "SlackPlatform"]
