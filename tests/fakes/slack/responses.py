"""What comes back on a ``response_url`` or in a command's acknowledgement ("Handling user interaction")."""

import time

from .api_chat import content_of
from .core import Core
from .wire import ApiError, Args, Payload

USES = 5
LIFETIME = 1800.0
KNOWN = frozenset(
    "text blocks attachments response_type replace_original delete_original thread_ts "
    "mrkdwn metadata unfurl_links unfurl_media".split()
)


def response_url(core: Core, user: str, channel: str, ts: str = "") -> str:
    """A new address: five uses within half an hour."""
    key = core.workspace.ids.new("response-")
    core.response_urls[key] = {
        "user": user,
        "channel": channel,
        "ts": ts,
        "uses": 0,
        "until": time.monotonic() + LIFETIME,
    }
    return f"{core.base}/response/{key}"


def respond(core: Core, key: str, values: Payload) -> None:
    """A message arrives at a response URL."""
    known = core.response_urls.get(key)
    if known is None or known["uses"] >= USES:
        raise ApiError("used_url")
    if time.monotonic() > known["until"]:
        raise ApiError("expired_url")
    known["uses"] += 1
    answer(core, known, values)


def answer(core: Core, known: Payload, values: Payload) -> None:
    """Post, whisper, replace or delete, as the body asks."""
    unknown = values.keys() - KNOWN
    if unknown:
        raise ApiError(
            "invalid_arguments", messages=[f"invalid additional property: {name}" for name in sorted(unknown)]
        )
    args = Args(values)
    channel = core.workspace.channel(str(known["channel"]))
    original = channel.messages.get(str(known["ts"]))
    if original is not None and args.flag("delete_original"):
        core.posting.delete(original, core.workspace.bot.id)
    elif original is not None and args.flag("replace_original"):
        core.posting.edit(original, content_of(args), core.workspace.bot.id)
    elif args.text("response_type") == "in_channel":
        core.posting.post(channel, core.workspace.bot, content_of(args), thread_ts=args.text("thread_ts"))
    else:
        core.posting.whisper(
            channel, str(known["user"]), content_of(args), thread_ts=args.text("thread_ts"), via="response"
        )
