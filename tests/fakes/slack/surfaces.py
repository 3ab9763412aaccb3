"""What a test holds in its hand: posts, views and their buttons, as they were when looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from .render import block_lines, body_lines, pings, text_of
from .wire import Payload


@dataclass(frozen=True, slots=True)
class Element:
    """An interactive element and where it stands."""

    block_id: str
    element: Payload
    label: str
    """Of a button its text, of an input block its label, else the placeholder."""
    optional: bool = False

    @property
    def action_id(self) -> str:
        """The id the app gave it."""
        return str(self.element["action_id"])

    @property
    def kind(self) -> str:
        """``button``, ``static_select``, …"""
        return str(self.element["type"])

    @property
    def value(self) -> str:
        """A button's value."""
        return str(self.element.get("value", ""))

    @property
    def options(self) -> list[Payload]:
        """What can be chosen."""
        groups = cast("list[Payload]", self.element.get("option_groups", []))
        return [*self.element.get("options", []), *(option for group in groups for option in group["options"])]


def elements_of(blocks: list[Payload]) -> Iterator[Element]:
    """All interactive elements of a list of blocks."""
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        if block["type"] == "input":
            element = cast("Payload", block["element"])
            yield Element(block_id, element, text_of(block["label"]), bool(block.get("optional")))
            continue
        inside = [*block.get("elements", [])] if block["type"] == "actions" else []
        inside += [block["accessory"]] if block.get("accessory", {}).get("type", "image") != "image" else []
        for element in inside:
            yield Element(block_id, element, text_of(element.get("text") or element.get("placeholder")))


class Surface:
    """Something with blocks."""

    blocks: list[Payload]

    @property
    def elements(self) -> list[Element]:
        """All interactive elements."""
        return list(elements_of(self.blocks))

    @property
    def buttons(self) -> list[str]:
        """The texts of its buttons, in order."""
        return [each.label for each in self.elements if each.kind == "button"]

    def element(self, name: str, kind: str = "") -> Element:
        """The element with this label, ``action_id``, ``block_id`` or value; an error that lists what there is."""
        found = [each for each in self.elements if not kind or each.kind == kind]
        for each in found:
            if name in (each.label, each.action_id, each.block_id) or (each.kind == "button" and name == each.value):
                return each
        message = f"nothing called {name!r}; there is {[each.label or each.action_id for each in found]}"
        raise AssertionError(message)


@dataclass(frozen=True)
class Post(Surface):
    """A message in the state in which it was seen."""

    channel: str
    ts: str
    body: Payload
    metadata: Payload | None = None
    deleted: bool = False
    ephemeral_to: str = ""
    versions: tuple[str, ...] = ()
    by_bot: bool = False

    @classmethod
    def from_json(cls, found: Payload) -> "Post":
        """From the answer of the ``posts`` operation."""
        return cls(
            channel=found["channel"],
            ts=found["body"]["ts"],
            body=found["body"],
            metadata=found["metadata"],
            deleted=found["deleted"],
            ephemeral_to=found["ephemeral_to"],
            versions=tuple(found["versions"]),
            by_bot=found["bot"],
        )

    @property
    def blocks(self) -> list[Payload]:  # type: ignore[override]
        """Its blocks."""
        return self.body.get("blocks") or []

    @property
    def text(self) -> str:
        """What a person reads: its blocks, or its text when it has none."""
        return "\n".join(body_lines(self.body))

    @property
    def raw_text(self) -> str:
        """The ``text`` as it was sent: what notifications and screen readers get."""
        return str(self.body.get("text", ""))

    @property
    def pings(self) -> list[str]:
        """Whom it notifies: ``@here``, ``@channel``, people and groups by id. User text must not smuggle any in."""
        return pings(self.body)

    @property
    def user(self) -> str:
        """Who posted."""
        return str(self.body.get("user", ""))

    @property
    def thread_ts(self) -> str | None:
        """Root of its thread."""
        return self.body.get("thread_ts")

    @property
    def is_reply(self) -> bool:
        """Does it stand in a thread?"""
        return self.thread_ts not in (None, self.ts)

    @property
    def edited(self) -> bool:
        """Was it changed?"""
        return "edited" in self.body

    @property
    def reactions(self) -> dict[str, list[str]]:
        """Who reacted with what."""
        return {each["name"]: each["users"] for each in self.body.get("reactions", [])}


@dataclass(frozen=True)
class View(Surface):
    """A modal or App Home in the state in which it was seen."""

    id: str
    user: str
    body: Payload

    @property
    def blocks(self) -> list[Payload]:  # type: ignore[override]
        """Its blocks."""
        return self.body["blocks"]

    @property
    def title(self) -> str:
        """A modal's title."""
        return text_of(self.body.get("title"))

    @property
    def callback_id(self) -> str:
        """The id the app gave it."""
        return str(self.body["callback_id"])

    @property
    def private_metadata(self) -> str:
        """What the app hid in it."""
        return str(self.body["private_metadata"])

    @property
    def text(self) -> str:
        """Title and blocks as a person reads them."""
        return "\n".join([self.title, *(line for block in self.blocks for line in block_lines(block))]).strip()

    @property
    def inputs(self) -> list[str]:
        """Labels of its input blocks."""
        return [text_of(block["label"]) for block in self.blocks if block["type"] == "input"]
