"""Write `config/routing/everyday.txt`: words of every day that resemble a name or a word of a topic.

They are never taken for typing errors: « grève » is no Grèce, « marin » no Marie. The lists of words come from the npm
packages ``an-array-of-french-words`` and ``an-array-of-english-words`` (MIT), the names of French communes, which are
no typing errors either (« La Turbie » is no Turquie), from ``@etalab/decoupage-administratif`` (Licence ouverte)::

    python -m scripts.everyday_words index.json more.json communes.json

To be run again when `config/routing` gains names. The same lists give the same bytes.
"""

import json
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

from bot.routing.concepts import Vocabulary
from bot.routing.mending import SHORTEST, Mender
from bot.routing.names import read_names
from bot.routing.rules import NAMED, groups, phrases_of
from bot.routing.spelling import keys


def main(lists: list[str]) -> None:
    """Keep the words that would otherwise be mended."""
    folder = files("config") / "routing"
    topics = tomllib.loads((folder / "topics.toml").read_text("utf-8"))
    guards = Vocabulary(tomllib.loads((folder / "guards.toml").read_text("utf-8")), NAMED)
    names, _ = read_names(folder)
    mender = Mender(groups(names, phrases_of(topics), guards.words), (), {})
    listed = (word for file in lists for word in json.loads(Path(file).read_text("utf-8")))
    words = {key for it in listed for key in keys(it if isinstance(it, str) else it["nom"])}
    kept = sorted(word for word in words if len(word) >= SHORTEST and word.isalpha() and mender.changes(word))
    Path(str(folder / "everyday.txt")).write_text("\n".join(kept) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
