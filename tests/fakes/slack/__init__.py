"""A fake Slack, as strict as Slack's documentation: Web API, Socket Mode, HTTP mode, people, faults and a ledger.

In a test: ``async with FakeSlack() as slack: …``. In a process of its own: ``python -m tests.fakes.slack``, driven by
:class:`SlackControl`. Both have the same face, :class:`~tests.fakes.slack.story.Story`.
"""

from .control import SlackControl
from .fake import FakeSlack
from .forms import FormRefused
from .people import NotAcknowledged, Outcome, Room, User
from .settings import Settings
from .story import Story
from .surfaces import Post, View
from .wire import ApiError, Payload

__all__ = [
    "ApiError",
    "FakeSlack",
    "FormRefused",
    "NotAcknowledged",
    "Outcome",
    "Payload",
    "Post",
    "Room",
    "Settings",
    "SlackControl",
    "Story",
    "User",
    "View",
]
