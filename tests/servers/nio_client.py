"""A bare matrix-nio client: what the servers are tried with, and what the bot's own adapter is compared with."""

from pathlib import Path
from typing import Any

import nio

TEXT = {"msgtype": "m.text", "body": "Bonjour"}


def nio_client(url: str, user: str, store: Path | None = None) -> Any:
    """A client that repeats nothing by itself; with keys if it has a place to store them.

    Typed as anything: each of its answers is one of two classes, and a test knows which.
    """
    config = nio.AsyncClientConfig(
        max_limit_exceeded=0, max_timeouts=0, encryption_enabled=store is not None, pickle_key="test"
    )
    return nio.AsyncClient(url, user, store_path=str(store) if store else "", config=config)
