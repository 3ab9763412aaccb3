"""``auth.*``, ``apps.*``, ``views.*`` and ``files.*``."""

from typing import cast

from .api_chat import writable
from .blocks import checked_view
from .core import Core
from .files import StoredFile
from .methods import method
from .posting import Content
from .wire import ApiError, Args, Payload
from .workspace import Channel


@method("auth.test", per_minute=600)
def auth_test(core: Core, args: Args) -> Payload:
    """Who the token is."""
    del args
    workspace = core.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": workspace.bot.name,
        "team_id": workspace.team,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test", optional="error foo", per_minute=600)
def api_test(core: Core, args: Args) -> Payload:
    """Nothing but an answer."""
    del core
    if args.text("error"):
        raise ApiError(args.text("error"))
    return {"args": args.values}


@method("apps.connections.open", token="app", per_minute=1)
def connections_open(core: Core, args: Args) -> Payload:
    """The address of one Socket Mode connection."""
    del args
    ticket = core.socket.ticket()
    return {"url": f"{core.base.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={core.workspace.bot.app_id}"}


@method("views.open", required="view", optional="trigger_id interactivity_pointer", per_minute=100)
def views_open(core: Core, args: Args) -> Payload:
    """Open a modal within three seconds of the click."""
    view = checked_view(args.data("view"))
    user = core.triggers.use(args.text("trigger_id"), core.settings)
    return {"view": core.views.open(user, view)}


@method("views.push", required="view", optional="trigger_id interactivity_pointer", per_minute=100)
def views_push(core: Core, args: Args) -> Payload:
    """Put a modal on top of the open one."""
    view = checked_view(args.data("view"))
    user = core.triggers.use(args.text("trigger_id"), core.settings)
    return {"view": core.views.push(user, view)}


@method("views.update", required="view", optional="view_id external_id hash", per_minute=100)
def views_update(core: Core, args: Args) -> Payload:
    """Replace an open view."""
    view = checked_view(args.data("view"))
    _, old = core.views.find(args.text("view_id"), args.text("external_id"))
    return {"view": core.views.update(old, view, args.text("hash"))}


@method("views.publish", required="user_id view", optional="hash", per_minute=100)
def views_publish(core: Core, args: Args) -> Payload:
    """Set a person's App Home."""
    view = checked_view(args.data("view"))
    user = core.workspace.account(args.text("user_id"))
    return {"view": core.views.publish(user.id, view, args.text("hash"))}


@method(
    "files.getUploadURLExternal",
    required="filename length",
    optional="alt_txt snippet_type",
    scopes="files:write",
    per_minute=100,
)
def get_upload_url(core: Core, args: Args) -> Payload:
    """Announce a file."""
    length = args.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments", messages=["length must be greater than 0 [json-pointer:/length]"])
    stored, url = core.files.announce(args.text("filename"), length, core.workspace.bot.id)
    return {"upload_url": url, "file_id": stored.id}


@method(
    "files.completeUploadExternal",
    required="files",
    optional="blocks channel_id channels initial_comment thread_ts",
    scopes="files:write",
    per_minute=100,
)
def complete_upload(core: Core, args: Args) -> Payload:
    """Finish uploads and share them."""
    given = args.data("files")
    listed = cast("list[Payload]", given) if isinstance(given, list) else []
    if not listed or any("id" not in each for each in listed):
        raise ApiError(
            "invalid_arguments", messages=["files must be an array of objects with an id [json-pointer:/files]"]
        )
    channels = [writable(core, name) for name in args.words("channels") or args.words("channel_id")]
    stored = [core.files.complete(str(each["id"]), str(each.get("title", ""))) for each in listed]
    for channel in channels:
        share(core, channel, stored, args.text("initial_comment"), args.text("thread_ts"))
    return {"files": [core.files.to_slack(each) for each in stored]}


def share(core: Core, channel: Channel, stored: list[StoredFile], comment: str, thread_ts: str) -> None:
    """The message that shows files in a conversation, and ``file_shared`` for each."""
    for each in stored:
        each.channels.append(channel.id)
    files = [core.files.to_slack(each) for each in stored]
    author = core.workspace.account(stored[0].user)
    if author is core.workspace.bot:
        core.posting.post(
            channel, author, Content(comment, files=files), thread_ts=thread_ts, subtype="file_share", upload=False
        )
    else:
        core.posting.say(channel, author, comment, thread_ts=thread_ts, files=files, subtype="file_share", upload=False)
    for each in stored:
        core.ledger.add("file", file=each.id, name=each.name, size=each.length, channel=channel.id, user=each.user)
        if core.workspace.bot.id in channel.members:
            shared: Payload = {
                "type": "file_shared",
                "file_id": each.id,
                "user_id": each.user,
                "file": {"id": each.id},
                "channel_id": channel.id,
            }
            core.events.publish(shared, channel)


def withdraw(core: Core, file: str) -> None:
    """A file is deleted: the messages that showed it show a tombstone, and say so."""
    stored = core.files.remove(file)
    core.ledger.add("file_deleted", file=file)
    tombstone: Payload = {"id": file, "mode": "tombstone"}
    for name in stored.channels:
        channel = core.workspace.channels[name]
        for message in list(core.workspace.messages(channel)):
            shown = cast("list[Payload]", message.body.get("files") or [])
            if not message.deleted and any(each["id"] == file for each in shown):
                left = [tombstone if each["id"] == file else each for each in shown]
                core.posting.show_files(message, left)
        if core.workspace.bot.id in channel.members:
            core.events.publish({"type": "file_deleted", "file_id": file, "channel_ids": [name]}, channel)


@method("files.delete", required="file", scopes="files:write", per_minute=50)
def file_delete(core: Core, args: Args) -> Payload:
    """Delete a file; a bot may delete its own."""
    stored = core.files.get(args.text("file"))
    if stored.user != core.workspace.bot.id:
        raise ApiError("cant_delete_file")
    withdraw(core, stored.id)
    return {}


@method("files.info", required="file", optional="count cursor limit page", scopes="files:read", per_minute=100)
def file_info(core: Core, args: Args) -> Payload:
    """One file."""
    return {
        "file": core.files.to_slack(core.files.get(args.text("file"))),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }
