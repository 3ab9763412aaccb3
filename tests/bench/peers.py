"""`python -m tests.bench.peers bolt|nio`: the shortest bot that each library's documentation would have one write."""

import asyncio
import os
import sys
from typing import Any

NAME = "@bare:stub.test"


async def bolt() -> None:
    """Answer mentions in their thread."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    token = os.environ["PASSERELLE_SLACK__BOT_TOKEN"]
    client = AsyncWebClient(token=token, base_url=os.environ["PASSERELLE_SLACK__API_URL"])
    app = AsyncApp(token=token, client=client)

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        await say(event["text"].split(maxsplit=1)[1], thread_ts=event["ts"])

    @app.event("message")
    async def ignore() -> None:
        pass

    await AsyncSocketModeHandler(app, os.environ["PASSERELLE_SLACK__APP_TOKEN"]).start_async()


async def nio() -> None:
    """Answer every message of somebody else."""
    from nio import AsyncClient, InviteMemberEvent, RoomMessageText

    client = AsyncClient(os.environ["PASSERELLE_MATRIX__HOMESERVER"], NAME)
    await client.login("any")

    async def join(room: Any, _event: Any) -> None:
        await client.join(room.room_id)

    async def answer(room: Any, event: Any) -> None:
        if event.sender != NAME and not event.sender.startswith("@passerelle"):
            await client.room_send(room.room_id, "m.room.message", {"msgtype": "m.text", "body": event.body})

    client.add_event_callback(join, InviteMemberEvent)  # pyright: ignore[reportArgumentType]
    await client.sync(full_state=True)
    client.add_event_callback(answer, RoomMessageText)
    print("listening", flush=True)
    # Its default of ten events a room loses the others of a burst for good.
    await client.sync_forever(timeout=30_000, sync_filter={"room": {"timeline": {"limit": 100}}})


if __name__ == "__main__":
    asyncio.run({"bolt": bolt, "nio": nio}[sys.argv[1]]())
