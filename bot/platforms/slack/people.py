"""Whose words these are: members of the bot's own workspace are insiders, guests of Slack Connect are not."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from bot.message import User
from bot.platforms.slack.options import Identity
from bot.platforms.slack.web import Web, call

Payload: TypeAlias = Mapping[str, Any]

_CLAIMS = ("user_team", "source_team", "team", "team_id")


def author_of(user: str, said: Payload, *, shared: bool, me: Identity, teams: Mapping[str, str]) -> User:
    """Return the account behind an event or interaction.

    `said` is whatever carries the account's workspace; where it carries none, everybody is at home but in a channel
    that is `shared` with other workspaces: there `teams`, the workspaces looked up, decides, and no answer means no.
    """
    found = claims(said)
    insider = found <= {me.team} if found else (not shared or teams.get(user) == me.team)
    return User("slack", user, insider=insider)


def claims(said: Payload) -> set[str]:
    """Return the workspaces that a payload names for its author."""
    named = {value for name in _CLAIMS if isinstance(value := said.get(name), str) and value}
    profile = said.get("user_profile")
    if isinstance(profile, Mapping) and profile.get("team"):
        named.add(str(profile["team"]))
    return named


def unknown_author(body: Payload) -> str | None:
    """Return the account whose workspace must be asked for before the payload can be judged."""
    event = body.get("event")
    if not isinstance(event, Mapping) or not body.get("is_ext_shared_channel"):
        return None
    said = event.get("message") or event.get("previous_message") or event
    user = said.get("user")
    return user if isinstance(user, str) and not claims(said) else None


class DirectRooms:
    """The direct conversation with each person; Slack has one for good and names it when asked."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._rooms: dict[str, str] = {}

    async def room_with(self, place: str) -> str:
        """Return the conversation itself where a person's id stands for the direct one. Raises a SendError."""
        if not place.startswith(("U", "W")):
            return place
        if place not in self._rooms:
            answer = await call(self._web.client.conversations_open, users=place)
            self._rooms[place] = str(answer["channel"]["id"])
        return self._rooms[place]
