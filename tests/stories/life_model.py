"""What a question's life may be, written by hand apart from the table it checks: moves of people, steps of the clock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

ASKERS = ("prefecture-57", "prefecture-67")
POSTS = ("consulat-francfort", "consulat-munich")
REGION = "region-grand-est"  # of both askers: the only step of the ladder beyond the post that has a room

ASKER, RECIPIENT = "asker", "recipient"
LIFE: dict[str, dict[str, dict[str, str]]] = {  # command → side → state → state
    "prendre": {RECIPIENT: {"routed": "taken"}},
    "rendre": {RECIPIENT: {"taken": "routed"}},
    "repondre": {
        RECIPIENT: dict.fromkeys(("routed", "taken", "answered", "asked_back"), "answered"),
        ASKER: {"routed": "routed", "taken": "taken", "answered": "taken", "asked_back": "taken"},
    },
    "preciser": {RECIPIENT: {"routed": "asked_back", "taken": "asked_back"}},
    "rediriger": {
        RECIPIENT: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "routed"),
        ASKER: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "routed"),
    },
    "clore": {
        RECIPIENT: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "closed"),
        ASKER: dict.fromkeys(("asked_back", "routed", "taken", "answered"), "closed"),
    },
    "annuler": {ASKER: dict.fromkeys(("asked_back", "routed", "taken"), "cancelled")},
    "rouvrir": {
        RECIPIENT: dict.fromkeys(("closed", "answered"), "routed"),
        ASKER: dict.fromkeys(("closed", "answered", "cancelled", "merged"), "routed"),
    },
    "avis": {ASKER: {"answered": "answered", "closed": "closed"}},
    "signaler": {side: {s: s for s in ("asked_back", "routed", "taken")} for side in (ASKER, RECIPIENT)},
    "maintenir": {side: {s: s for s in ("asked_back", "answered")} for side in (ASKER, RECIPIENT)},
}
ARGUMENTS = {"repondre": "Des mots.", "preciser": "De quelle année ?", "avis": "oui"}

WAITED, OPEN = ("routed", "taken"), ("asked_back", "routed", "taken", "answered")
WARN, CLOSE = timedelta(days=10), timedelta(days=4)


@dataclass
class Model:
    """What a question should be."""

    asker: str
    recipient: str
    since: datetime  # when what is waited for now began to be
    state: str = "routed"
    moves: int = 1
    had: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)  # to whom, ever
    raised_now: set[str] = field(default_factory=set)  # and since it is waited for
    heard: list[str] = field(default_factory=list)  # what the clock said since
    warned: datetime | None = None

    @property
    def rooms(self) -> set[str]:
        """The rooms that anything of it may ever have been said in."""
        return {self.asker, self.recipient, *self.had, *self.raised}

    def sides(self, room: str) -> list[str]:
        """The sides on which those of a room stand, the one that their words count for first."""
        found = [RECIPIENT] if room == self.recipient or room in self.raised else []
        return [*found, ASKER] if room == self.asker else found

    def does(self, command: str, room: str, at: datetime, onwards: str) -> bool:
        """Follow what somebody in a room does; `onwards` is where they redirect it. Whether it is a move."""
        ways = LIFE[command]
        sides = [side for side in self.sides(room) if side in ways]
        after = next((ways[side][self.state] for side in sides if self.state in ways[side]), None)
        if after is None or (command == "signaler" and REGION in self.raised_now):
            return False
        if command == "signaler":
            self.raised.add(REGION)
            self.raised_now.add(REGION)
        if command == "rediriger":
            self.had.add(self.recipient)
            self.recipient = onwards
        anew = command in ("rediriger", "rouvrir", "maintenir") or self._changes(after)
        self.state = after
        if anew or command == "repondre":
            self.begin(at, again=not anew)
        self.moves += command != "maintenir"
        return True

    def _changes(self, after: str) -> bool:
        return after != self.state and {after, self.state} != set(WAITED)

    def begin(self, at: datetime, *, again: bool = False) -> None:
        """Wait from now on; `again`: for the same, in a silence that somebody broke."""
        self.since, self.warned = at, None
        if not again:
            self.heard, self.raised_now = [], set()

    def takes_time(self, kind: str, towards: str | None, at: datetime, due_at: datetime | None, away: bool) -> None:
        """Follow a step of the clock that the history shows; an AssertionError where it may not take it."""
        self.moves += 1
        match kind:
            case "escalate":
                assert self.state in WAITED, f"raised while {self.state}"
                assert due_at is not None
                assert at >= due_at, "raised before the deadline"
                assert towards in (self.recipient, REGION), towards
                if towards == REGION:
                    assert REGION not in self.raised_now, "raised twice"
                    self.raised_now.add(REGION)
                    self.raised.add(REGION)
            case "release":
                assert self.state == "taken"
                assert away, "taken from somebody who is there"
                self.state = "routed"
            case "close":
                assert self.state in ("asked_back", "answered")
                assert self.warned is not None, "closed without a warning"
                assert at - self.warned >= CLOSE, "closed too soon"
                self.state = "closed"
                self.begin(at)
            case _:
                raise AssertionError(f"the clock does not {kind}")

    def hears(self, words: str, room: str, at: datetime) -> None:
        """Follow what the clock says in a room; an AssertionError where it may not."""
        if "attend une réponse avant" in words or "est en retard" in words:
            kind = "late" if "est en retard" in words else "remind"
            assert self.state in WAITED, f"{kind} while {self.state}"
            assert room == self.recipient, f"{kind} in {room}"
            assert kind not in self.heard, f"{kind} twice"
            assert not (kind == "remind" and "late" in self.heard), "reminded after the deadline"
            self.heard.append(kind)
        elif "sera close" in words:
            assert self.state in ("asked_back", "answered")
            assert room == self.asker
            assert self.warned is None, "warned twice"
            assert at - self.since >= WARN, "warned too soon"
            self.warned = at
        else:
            assert room in self.rooms
