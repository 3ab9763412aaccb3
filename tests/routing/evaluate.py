"""How well routing does on a file of labelled questions: `python -m tests.routing.evaluate FILE.csv [--wrong] [--crossed]`.

`--wrong` prints all that was wrong. `--crossed` is for questions that topics are learnt from: each is judged by a model
that was taught neither it nor the others of its fold.

Columns: `text`, `from`; `topic` and the others that would do as well (`topics_ok`); `countries`, all that are named;
`decision`; `recipients_ok`, any of which is right (`organisation` or `organisation:role`); `advice_to`, any of which is
right; `tags`; `decision_ok`, what else may be decided. `*` for countries: any will do. Lists are separated by spaces.
Margins are Wilson's, at 95 %.
"""

import csv
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bot.directory.snapshot import Snapshot
from bot.routing.decide import route
from bot.routing.fitting import train
from bot.routing.model import Assignment, Question
from bot.routing.rules import Rules, examples
from bot.routing.teaching import FOLDS, fold, prepare
from tests.routing.shipped import CONFIG, directory, rules

ON = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled question and what routing said."""

    row: dict[str, str]
    said: Assignment

    @property
    def topics(self) -> set[str]:
        return {self.row["topic"], *self.row["topics_ok"].split()}

    @property
    def topic_right(self) -> bool:
        return (self.said.topic or "") in self.topics

    @property
    def topic_near(self) -> bool:
        return bool(self.topics & {self.said.topic or "", *(topic for topic, _ in self.said.topics)})

    @property
    def countries_right(self) -> bool:
        return set(self.said.countries) == set(self.row["countries"].split())

    @property
    def scored_by_countries(self) -> bool:
        """Whether its countries are labelled: `*` says that they are debatable."""
        return self.row["decision"] != "refuse" and self.row["countries"] != "*"

    @property
    def recipient_right(self) -> bool:
        return accepted(self.said.recipient, self.row["recipients_ok"].split())

    @property
    def choice_right(self) -> bool:
        back = self.said.question_back
        labels = self.row["recipients_ok"].split()
        return back is not None and any(accepted(choice.recipient, labels) for choice in back.choices)

    @property
    def ruled_right(self) -> bool:
        """Whether the decision is one that is expected, and an advice turns to the right place."""
        same = self.said.decision in self.decisions
        return same and (self.said.decision != "advise" or self.said.advice_to in self.row["advice_to"].split())

    @property
    def decisions(self) -> set[str]:
        return {self.row["decision"], *self.row.get("decision_ok", "").split()}


def accepted(recipient: object, by: Sequence[str]) -> bool:
    """Return whether a recipient is among those that a label accepts, `organisation` or `organisation:role`."""
    organisation = getattr(recipient, "organisation", "")
    return organisation in by or f"{organisation}:{getattr(recipient, 'role', '')}" in by


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of so many."""

    name: str
    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of if self.of else 1.0

    @property
    def margins(self) -> tuple[float, float]:
        """The Wilson interval at 95 %."""
        n, p, z = self.of or 1, self.share, 1.96
        middle, width = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - width) / (1 + z * z / n), (middle + width) / (1 + z * z / n)

    def __str__(self) -> str:
        low, high = self.margins
        return f"{self.name:38} {self.share:6.1%}  ({self.right} of {self.of}; {low:.1%} to {high:.1%})"


def judge(file: Path, rules: Rules, directory: Snapshot) -> list[Judged]:
    """Route every question of a file."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [Judged(row, route(Question(row["text"], row["from"] or None), rules, directory, ON)) for row in rows]


def judge_crossed(file: Path, rules: Rules, directory: Snapshot) -> list[Judged]:
    """Route every question of a file by a model that was taught all examples but those of its fold in the file."""
    return [
        Judged(row, route(Question(row["text"], row["from"] or None), apart, directory, ON))
        for row, apart in crossed((file,), rules)
    ]


def crossed(files: Iterable[Path], rules: Rules) -> Iterator[tuple[dict[str, str], Rules]]:
    """Yield each question of some files with rules whose model was taught none of its fold in them."""
    prepared = prepare(examples(CONFIG / "routing"), rules)
    rows: list[dict[str, str]] = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    for number in range(FOLDS):
        own = [row for row in rows if fold(row["text"]) == number]
        texts = {row["text"] for row in own}
        model = train((it.example for it in prepared if it.text not in texts), sorted(rules.topics))
        for row in own:
            yield row, replace(rules, model=model)


def figures(judged: Sequence[Judged]) -> dict[str, Figure]:
    """Return the figures by their names."""

    def figure(name: str, rows: Iterable[Judged], right: Callable[[Judged], bool]) -> Figure:
        rows = list(rows)
        return Figure(name, sum(map(right, rows)), len(rows))

    about = [it for it in judged if it.row["topic"]]
    routable = [it for it in judged if it.row["decision"] == "route"]
    alone = [it for it in judged if it.said.decision == "route"]
    ruled = [it for it in judged if it.row["decision"] in {"refuse", "advise"}]
    asked = [it for it in judged if it.row["decision"] == "ask"]
    found = (
        figure("topic, first", about, lambda it: it.topic_right),
        figure("topic, among three", about, lambda it: it.topic_near),
        figure("countries exactly", (it for it in judged if it.scored_by_countries), lambda it: it.countries_right),
        figure("routed alone, where it should be", routable, lambda it: it.said.decision == "route"),
        figure("recipient right when routed alone", alone, lambda it: it.recipient_right),
        figure("right routed or among the choices", routable, lambda it: it.recipient_right or it.choice_right),
        figure("hard rules", ruled, lambda it: it.ruled_right),
        figure("no rule where none applies", (it for it in judged if it.row["decision"] in {"route", "ask"}),
               lambda it: it.said.decision in {"route", "ask"} or it.ruled_right),
        figure("asked back where it should", asked, lambda it: it.said.decision == "ask"),
    )  # fmt: skip
    return {it.name: it for it in found}


def confusions(judged: Iterable[Judged]) -> list[tuple[str, str, int]]:
    """Return which topic was taken for which, the most frequent first."""
    pairs = Counter((it.row["topic"], it.said.topic or "") for it in judged if it.row["topic"] and not it.topic_right)
    return [(meant, said, count) for (meant, said), count in pairs.most_common()]


def _shown(it: Judged) -> str:
    said = it.said
    to = f"{said.recipient.organisation}:{said.recipient.role}" if said.recipient else said.advice_to or ""
    if said.question_back:
        to = " / ".join(choice.recipient.organisation for choice in said.question_back.choices)
    wrong = [
        name
        for name, right in (
            ("TOPIC", it.topic_right or not it.row["topic"]),
            ("COUNTRIES", it.countries_right or not it.scored_by_countries),
            ("DECISION", it.ruled_right),
            ("RECIPIENT", said.decision != "route" or it.recipient_right),
        )
        if not right
    ]
    if not wrong:
        return ""
    shares = " ".join(f"{topic}={share:.2f}" for topic, share in said.topics)
    return (
        f"{' '.join(wrong)} | {it.row['from']} | {it.row['text']}\n"
        f"   want {it.row['topic']} [{it.row['countries']}] {it.row['decision']} {it.row['recipients_ok']}{it.row['advice_to']}\n"
        f"   said {said.topic} [{' '.join(said.countries)}] {said.decision} {to} ({said.confidence}) {shares}"
    )


def main(arguments: Sequence[str]) -> None:
    """Print the figures, the confusions and, when asked, all that was wrong."""
    for name in (it for it in arguments if not it.startswith("--")):
        judged = (judge_crossed if "--crossed" in arguments else judge)(Path(name), rules(), directory())
        print(f"{name}: {len(judged)} questions")
        for figure in figures(judged).values():
            print(f"  {figure}")
        for meant, said, count in confusions(judged):
            print(f"  {count:3} × {meant} taken for {said or 'none'}")
        if "--wrong" in arguments:
            print("\n".join(filter(None, map(_shown, judged))))


if __name__ == "__main__":
    main(sys.argv[1:])
