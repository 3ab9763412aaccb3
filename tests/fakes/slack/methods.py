"""The register of Web API methods: their arguments, scope, token and tier, as on their reference pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .core import Core
from .wire import ApiError, Args, Payload, invalid_arguments

Handler = Callable[[Core, Args], Payload]
SILENT = frozenset({"token", "team_id"})
"""Arguments that every method takes."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API."""

    name: str
    handler: Handler
    required: frozenset[str]
    known: frozenset[str]
    scopes: frozenset[str]
    """One of them is enough; none: any token."""
    per_minute: int
    token: Literal["bot", "app"]


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    required: str = "",
    optional: str = "",
    scopes: str = "",
    per_minute: int = 50,
    token: Literal["bot", "app"] = "bot",
) -> Callable[[Handler], Handler]:
    """Register a handler under the name of its method."""

    def register(handler: Handler) -> Handler:
        needed = frozenset(required.split())
        known = needed | frozenset(optional.split()) | SILENT
        METHODS[name] = Method(name, handler, needed, known, frozenset(scopes.split()), per_minute, token)
        return handler

    return register


def authorize(core: Core, found: Method, token: str) -> None:
    """Check the token and the scopes, with Slack's words for what is wrong."""
    if not token:
        raise ApiError("not_authed")
    wanted = core.bot_token if found.token == "bot" else core.app_token
    other = core.app_token if found.token == "bot" else core.bot_token
    if token == other:
        raise ApiError("not_allowed_token_type")
    if token != wanted:
        raise ApiError("invalid_auth")
    if core.revoked:
        raise ApiError("token_revoked")
    if found.token == "bot" and found.scopes and not found.scopes & core.scopes:
        raise ApiError("missing_scope", needed=",".join(sorted(found.scopes)), provided=",".join(sorted(core.scopes)))


def check_arguments(found: Method, args: Args) -> None:
    """Refuse unknown arguments and missing ones."""
    unknown = args.values.keys() - found.known
    if unknown:
        raise invalid_arguments(
            *(f"invalid additional property: {name} [json-pointer:/{name}]" for name in sorted(unknown))
        )
    missing = [name for name in found.required if args.values.get(name) in (None, "")]
    if missing:
        raise invalid_arguments(*(f"missing required field: {name}" for name in sorted(missing)))
