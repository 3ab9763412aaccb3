"""Write `config/routing/model.txt`: what the shipped examples teach of topics. `python -m scripts.train_topics`.

The same examples and words give the same bytes.
"""

from importlib.resources import files
from pathlib import Path

from bot.routing.learning import NOTHING, dump
from bot.routing.rules import Rules, examples
from bot.routing.teaching import teach


def main() -> None:
    """Learn anew, and say how well it does on what it has not seen."""
    folder = files("config") / "routing"
    file = Path(str(folder / "model.txt"))
    file.write_text(dump(NOTHING), "utf-8")
    model, tried = teach(examples(folder), Rules.load(folder))
    file.write_text(dump(model), "utf-8")
    first = sum(it.ranked[0] == it.topic for it in tried) / len(tried)
    three = sum(it.topic in it.ranked[:3] for it in tried) / len(tried)
    print(f"{len(tried)} examples: first {first:.1%}, among three {three:.1%}")


if __name__ == "__main__":
    main()
