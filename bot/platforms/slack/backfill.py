"""What was said while nobody listened: the history of our conversations, from the last message that was kept.

Slack repeats events for about six minutes only. At start and after each gap the channels and the live threads are
read again with a minute of overlap; the receipts of the core tell what is known already.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import NotSent, SendError
from bot.platforms import Live, Memory
from bot.platforms.slack.gateway import Gateway, cursor_name
from bot.platforms.slack.options import Identity
from bot.platforms.slack.web import Call, Web, call, pages

SINCE = "since"  # the first start ever: nothing older is read, in any channel

_TYPES = "public_channel,private_channel,mpim,im"
_OVERLAP = 60.0
_PATIENCE = 2.5
_AT_ONCE = 4
_PAGE = 200
_CALLS = 40  # a minute and method; Slack allows 50
_LONGEST_PAUSE = 60.0
_JOINED = {"channel_join", "group_join"}

log = structlog.get_logger()
