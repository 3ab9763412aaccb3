"""Modals and App Homes: triggers, each person's stack of views, hashes.

Sources: "Modals", "App Home", ``views.open`` · ``views.push`` · ``views.update`` · ``views.publish``.
"""

import time
from typing import Any

from .ledger import Ledger
from .settings import Settings
from .wire import ApiError, Payload
from .workspace import Workspace

STACK_LIMIT = 3


class Triggers:
    """Trigger ids: good for one use, for three seconds."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._issued: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def issue(self, user: str) -> str:
        """A trigger for something that this person just did."""
        trigger = self._workspace.ids.new("1000.2000.")
        self._issued[trigger] = (user, time.monotonic())
        return trigger

    def use(self, trigger: str, settings: Settings) -> str:
        """The person behind a trigger; refused when unknown, too late, or used before."""
        user, issued = self._issued.get(trigger, ("", 0.0))
        if not user:
            raise ApiError("invalid_trigger_id")
        if trigger in self._used:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() - issued > settings.trigger_lifetime:
            raise ApiError("expired_trigger_id")
        self._used.add(trigger)
        return user


class Views:
    """All views of the app, and what each person has on the screen."""

    def __init__(self, workspace: Workspace, ledger: Ledger) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self.stacks: dict[str, list[Payload]] = {}
        self.homes: dict[str, Payload] = {}
        self._by_id: dict[str, tuple[str, Payload]] = {}

    def _new(self, user: str, view: Payload, **more: Any) -> Payload:
        bot = self._workspace.bot
        made: Payload = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            **view,
            "id": self._workspace.ids.new("V"),
            "team_id": self._workspace.team,
            "app_id": bot.app_id,
            "bot_id": bot.bot_id,
            "app_installed_team_id": self._workspace.team,
            "state": {"values": {}},
            "hash": self._hash(),
            "previous_view_id": None,
            **more,
        }
        made.setdefault("root_view_id", made["id"])
        self._by_id[made["id"]] = (user, made)
        return made

    def _hash(self) -> str:
        return f"{int(time.time())}.{self._workspace.ids.new('h')}"

    def _check_external(self, view: Payload, but: str = "") -> None:
        wanted = view.get("external_id")
        if wanted and any(each["external_id"] == wanted and each["id"] != but for _, each in self._by_id.values()):
            raise ApiError("duplicate_external_id")

    def _note(self, action: str, user: str, view: Payload) -> None:
        self._ledger.add(
            "view", action=action, user=user, view_id=view["id"], callback_id=view["callback_id"], view=view
        )

    @staticmethod
    def _must_be(kind: str, view: Payload) -> None:
        if view["type"] != kind:
            raise ApiError("invalid_arguments", messages=[f"must be one of: {kind} [json-pointer:/view/type]"])

    def open(self, user: str, view: Payload) -> Payload:
        """Show a new modal; whatever was open is gone."""
        self._must_be("modal", view)
        self._check_external(view)
        made = self._new(user, view)
        for old in self.stacks.get(user, []):
            self._by_id.pop(old["id"], None)
        self.stacks[user] = [made]
        self._note("open", user, made)
        return made

    def push(self, user: str, view: Payload) -> Payload:
        """Put a modal on top; three at most."""
        self._must_be("modal", view)
        self._check_external(view)
        stack = self.stacks.setdefault(user, [])
        if not stack:
            raise ApiError("invalid_trigger_id")
        if len(stack) >= STACK_LIMIT:
            raise ApiError("push_limit_reached")
        made = self._new(user, view, root_view_id=stack[0]["id"], previous_view_id=stack[-1]["id"])
        stack.append(made)
        self._note("push", user, made)
        return made

    def find(self, view_id: str, external_id: str = "") -> tuple[str, Payload]:
        """A view that is open, by one of its ids, or ``not_found``."""
        for user, view in self._by_id.values():
            if (view_id and view["id"] == view_id) or (external_id and view["external_id"] == external_id):
                return user, view
        raise ApiError("not_found")

    def update(self, old: Payload, view: Payload, expected_hash: str = "") -> Payload:
        """Replace a view in place; with a hash only when nobody changed it meanwhile."""
        user, _ = self.find(old["id"])
        self._must_be(old["type"], view)
        self._check_external(view, but=old["id"])
        if expected_hash and expected_hash != old["hash"]:
            raise ApiError("hash_conflict")
        keep = {name: old[name] for name in ("id", "root_view_id", "previous_view_id")}
        made = self._new(user, view) | keep
        self._by_id[old["id"]] = (user, made)
        self._by_id = {name: pair for name, pair in self._by_id.items() if pair[1]["id"] == name}
        stack = self.stacks.get(user, [])
        self.stacks[user] = [made if each["id"] == old["id"] else each for each in stack]
        if self.homes.get(user, {}).get("id") == old["id"]:
            self.homes[user] = made
        self._note("update", user, made)
        return made

    def publish(self, user: str, view: Payload, expected_hash: str = "") -> Payload:
        """Set a person's App Home."""
        self._must_be("home", view)
        old = self.homes.get(user)
        if expected_hash and (old is None or old["hash"] != expected_hash):
            raise ApiError("hash_conflict")
        keep = {"id": old["id"]} if old else {}
        made = self._new(user, view) | keep
        made["root_view_id"] = made["id"]
        self._by_id[made["id"]] = (user, made)
        self._by_id = {name: pair for name, pair in self._by_id.items() if pair[1]["id"] == name}
        self.homes[user] = made
        self._note("publish", user, made)
        return made

    def close(self, user: str, *, all_of_them: bool = False) -> list[Payload]:
        """Take the top view (or all) away; the closed ones, top first."""
        stack = self.stacks.get(user, [])
        closed = list(reversed(stack)) if all_of_them else stack[-1:]
        self.stacks[user] = [] if all_of_them else stack[:-1]
        for view in closed:
            self._by_id.pop(view["id"], None)
            self._note("close", user, view)
        return closed
