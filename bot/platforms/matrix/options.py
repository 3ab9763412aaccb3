"""What an operator chooses for Matrix."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.errors import ConfigurationError

_MXID = re.compile(r"@[^:\s]+:\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions:
    """The `[matrix]` section, and the folder in which keys, seeds and the login are kept."""

    homeserver: str  # its URL
    user_id: str
    store: Path
    store_key: str  # encrypts what lies in `store`
    password: str = ""
    access_token: str = ""
    device_id: str = ""
    allowed_servers: tuple[str, ...] = ()  # empty: only the bot's own
    trust: Literal["cross_signed", "all"] = "cross_signed"
    reactions: Literal["all", "harmless"] = "all"  # of those that nothing proves, in encrypted rooms
    identity_reset: Literal["block", "accept"] = "block"
    language: str = "fr"  # of the few notices that no card carries
    pace: float = 0.0  # seconds between two requests, the sync apart
    patience: float = 60.0  # seconds that a message waits for its key before its room is told
    poll: float = 30.0  # seconds that the homeserver may hold a sync

    def checked(self) -> "MatrixOptions":
        """Return these options.

        Raises ConfigurationError for one without which nothing can work; secrets are never in its words.
        """
        if not self.homeserver.startswith(("http://", "https://")):
            raise ConfigurationError(_bad("homeserver", self.homeserver, "a URL such as https://matrix.example.org"))
        if not _MXID.fullmatch(self.user_id):
            raise ConfigurationError(_bad("user_id", self.user_id, "a full id such as @passerelle:example.org"))
        if not self.store_key:
            raise ConfigurationError(_bad("store_key", "", "a secret that encrypts the keys on disk"))
        if not (self.password or self.access_token):
            raise ConfigurationError(_bad("password", "", "the account's password, or access_token"))
        return self

    @property
    def servers(self) -> frozenset[str]:
        """The servers whose users a linked room vouches for."""
        return frozenset(self.allowed_servers) or frozenset({server_of(self.user_id)})


def server_of(user_id: str) -> str:
    """Return the server part of a full user id: everything after its first colon."""
    return user_id.partition(":")[2]


def _bad(key: str, value: str, expected: str) -> str:
    return f"matrix.{key}: {value!r}; expected {expected}"
