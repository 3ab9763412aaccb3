"""Files on Slack: fetched with the bot's token, uploaded in the three steps that Slack has for it.

A file has its id before anybody sees it. That id is kept first, so that after a crash the message which shows the file
is looked for, and nothing is shared twice.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.errors import NotSent, OutcomeUnknown, Refused
from bot.files import Upload
from bot.message import Address
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.people import DirectRooms
from bot.platforms.slack.web import Web, call, pages, proxy_for

_PIECE = 64 * 1024
_SECONDS = 120.0  # for a file's bytes
_PAGES = 5
_LOOKS = (0.0, 0.3, 1.0, 2.0)  # seconds: Slack shows a shared file a moment after it said so
_HOMES = (".slack.com", ".slack-gov.com", ".slack-files.com")


class Files:
    """Fetches and shares files."""

    def __init__(self, options: SlackOptions, web: Web, direct: DirectRooms) -> None:
        self._options = options
        self._web = web
        self._direct = direct

    async def fetch(self, file: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes, by its id. Raises a SendError."""
        found = await _harmlessly(call(self._web.client.files_info, file=file))
        described: dict[str, Any] = found.get("file") or {}
        address = str(described.get("url_private_download") or described.get("url_private") or "")
        if described.get("is_external") or not self._is_slack(address):
            raise Refused("the file does not lie on Slack")
        try:
            async for piece in self._read(address, str(described.get("mimetype") or ""), described.get("size")):
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(f"Slack's file breaks off: {type(error).__name__}", outage=True) from error

    async def _read(self, address: str, kind: str, size: object) -> AsyncIterator[bytes]:
        headers = {"Authorization": f"Bearer {self._options.bot_token}"}
        timeout = aiohttp.ClientTimeout(total=_SECONDS, sock_connect=5)
        async with self._web.session.get(
            address, headers=headers, timeout=timeout, allow_redirects=False, proxy=proxy_for(address)
        ) as response:
            if response.status == 429 or response.status >= 500:
                raise NotSent(f"Slack's file: HTTP {response.status}", outage=True)
            # Who may not read a file is shown a page to log in, with status 200.
            if response.status != 200 or (response.content_type == "text/html" and kind != "text/html"):
                raise Refused(f"Slack does not hand out the file: HTTP {response.status}")
            length = 0
            async for piece in response.content.iter_chunked(_PIECE):
                length += len(piece)
                yield piece
            if isinstance(size, int) and length != size:
                raise NotSent("Slack's file has another length")

    def _is_slack(self, address: str) -> bool:
        """Tell whether an address may be shown our token."""
        parts, own = urlsplit(address), urlsplit(self._options.api_url)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme == "https" and (parts.hostname or "").endswith(_HOMES)

    async def send(self, to: Address, file: Upload) -> str:
        """Share a file in a conversation, to one person in the direct one, and return the `ts` of its message."""
        alone = to.audience is not None and to.surface == "room"
        channel = await self._direct.room_with(to.audience.id if alone and to.audience else to.room)
        thread = None if alone else to.thread
        if file.begun and (found := await self._shown(channel, thread, file.begun)):
            return found
        client = self._web.client
        announced = await _harmlessly(call(client.files_getUploadURLExternal, filename=file.name, length=file.size))
        name = str(announced["file_id"])
        await file.begin(name)
        await self._put(str(announced["upload_url"]), file)
        shared = [{"id": name, "title": file.name}]
        await call(client.files_completeUploadExternal, files=shared, channel_id=channel, thread_ts=thread)
        for wait in _LOOKS:
            await asyncio.sleep(wait)
            if found := await self._shown(channel, thread, name):
                return found
        raise OutcomeUnknown("Slack took the file and does not show it yet")

    async def _put(self, address: str, file: Upload) -> None:
        headers = {"Content-Length": str(file.size), "Content-Type": "application/octet-stream"}
        timeout = aiohttp.ClientTimeout(total=_SECONDS, sock_connect=5)
        try:
            async with self._web.session.post(
                address, data=file.pieces(), headers=headers, timeout=timeout, proxy=proxy_for(address)
            ) as response:
                if response.status != 200:
                    raise NotSent(f"Slack's upload: HTTP {response.status}", outage=response.status >= 500)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(f"Slack's upload breaks off: {type(error).__name__}", outage=True) from error

    async def delete(self, channel: str, thread: str | None, ts: str) -> None:
        """Delete the files that a message shows: they would outlive it."""
        for message in await self._around(channel, thread, ts):
            for file in message.get("files") or () if message.get("ts") == ts else ():
                if file.get("mode") == "tombstone":
                    continue
                try:
                    await call(self._web.client.files_delete, file=file["id"])
                except Refused as refused:
                    if not str(refused).startswith(("file_not_found", "file_deleted")):
                        raise

    async def _around(self, channel: str, thread: str | None, ts: str) -> list[dict[str, Any]]:
        client = self._web.client
        only = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True, "limit": 2}
        method: Any = client.conversations_replies if thread else client.conversations_history
        try:
            answer = await call(method, **only, **({"ts": thread} if thread else {}))
        except Refused as refused:
            if str(refused).startswith("thread_not_found"):
                return []
            raise
        return answer.get("messages") or []

    async def _shown(self, channel: str, thread: str | None, file: str) -> str | None:
        """Return the message that shows a file of ours; the outcome stays unknown when one cannot look."""
        client = self._web.client
        method: Any = client.conversations_replies if thread else client.conversations_history
        count = 0
        try:
            async for page in pages(
                method, "messages", channel=channel, limit=200, **({"ts": thread} if thread else {})
            ):
                for message in page:
                    if any(each.get("id") == file for each in message.get("files") or ()):
                        return str(message["ts"])
                count += 1
                if count == _PAGES and not thread:
                    break
        except NotSent as error:
            raise OutcomeUnknown(str(error)) from error
        return None


async def _harmlessly(asked: Any) -> dict[str, Any]:
    """Await a call that shows nothing to anybody: it may be made again whatever became of it."""
    try:
        return await asked
    except OutcomeUnknown as error:
        raise NotSent(str(error), outage=True) from error
