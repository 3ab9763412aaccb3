"""Check the catalogues against the code: no key without words, no words without a key, the same places everywhere.

Keys are the strings given to `Text.of`, `Text` and `UserError`; where a part is computed, everything that fits counts.
Each command has the words of its help, and of the form that asks for its arguments.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import handlers
from bot.command import form_of, load
from bot.grammar import Command
from bot.opening import CONFIG
from bot.texts import LANGUAGES, PLACE, Catalogues, Text

_CALLS = {"Text": 0, "UserError": 0, "of": 0, "Denied": 1}  # which of their arguments is the key


def main() -> int:
    """Print each fault; return how many there are."""
    catalogues = Catalogues.load(CONFIG / "texts")
    patterns = list(_used(Path("bot"), Path("handlers")))
    faults = [
        *_without_words(patterns, catalogues),
        *_of_commands(load(handlers).values(), catalogues),
        *_without_key(patterns, catalogues),
        *_unlike(catalogues),
    ]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _used(*folders: Path) -> Iterator[str]:
    """Return the keys that the code uses, as patterns."""
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                key = _key(node)
                if key is not None:
                    yield from _patterns(key)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_key(node.value):
                    yield re.escape(node.value)


def _key(node: ast.AST) -> ast.expr | None:
    """Return what is given as a key, if this is a call of what takes one."""
    place = _CALLS.get(_name(node.func)) if isinstance(node, ast.Call) else None
    return node.args[place] if isinstance(node, ast.Call) and place is not None and len(node.args) > place else None


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _patterns(key: ast.expr) -> Iterator[str]:
    match key:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.JoinedStr(values=parts):
            yield "".join(re.escape(p.value) if isinstance(p, ast.Constant) else r"[\w.]+" for p in parts)  # type: ignore[arg-type]
        case ast.IfExp(body=body, orelse=other):
            yield from _patterns(body)
            yield from _patterns(other)
        case _:
            pass


def _is_key(text: str) -> bool:
    return bool(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", text))


def _without_words(patterns: list[str], catalogues: Catalogues) -> Iterator[str]:
    for language in LANGUAGES:
        keys = set(catalogues.keys(language))
        for pattern in sorted(set(patterns)):
            literal = "[" not in pattern
            if literal and "." in pattern and re.sub(r"\\(.)", r"\1", pattern) not in keys and _asked_as_text(pattern):
                yield f"{language}: no words for {pattern}"
            if not literal and not any(re.fullmatch(pattern, key) for key in keys):
                yield f"{language}: no words fit {pattern}"


def _asked_as_text(pattern: str) -> bool:
    """Whether a literal is given to a text, and is not just a string that looks like a key (a module's name)."""
    literal = re.sub(r"\\(.)", r"\1", pattern)
    return literal in _DIRECT


def _of_commands(commands: Iterable[Command], catalogues: Catalogues) -> Iterator[str]:
    keys = set(catalogues.keys("fr"))
    for command in {it.name: it for it in commands}.values():
        form = form_of(command, "", {})
        texts = [command.about]
        if any(not field.optional for field in form.fields):
            labels = [choice.label for field in form.fields for choice in field.choices]
            texts += [form.title, form.submit, *(field.label for field in form.fields), *labels]
        needed = {text.key for text in texts if isinstance(text, Text)}
        yield from (f"no words for {key}, of the command {command.name}" for key in sorted(needed - keys))


def _without_key(patterns: list[str], catalogues: Catalogues) -> Iterator[str]:
    said = re.compile("|".join(sorted(set(patterns))))
    for key in sorted(catalogues.keys("fr")):
        if not said.fullmatch(key):
            yield f"nothing says {key}"


def _unlike(catalogues: Catalogues) -> Iterator[str]:
    french, english = (set(catalogues.keys(language)) for language in ("fr", "en"))
    yield from (f"only in one language: {key}" for key in sorted(french ^ english))
    for key in sorted(french & english):
        places = [_places(catalogues.sentence(key, language)) for language in LANGUAGES]
        if places[0] != places[1]:
            yield f"{key}: not the same places: {places[0]} and {places[1]}"


def _places(sentence: str) -> set[str]:
    """Return the values that a sentence shows; a name given in two languages counts as one."""
    return {place.removesuffix("_en") for place, _ in PLACE.findall(sentence)}


def _direct() -> set[str]:
    found: set[str] = set()
    for folder in (Path("bot"), Path("handlers")):
        for file in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                key = _key(node)
                if key is not None:
                    found.update(
                        n.value for n in ast.walk(key) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                    )
    return found


_DIRECT = _direct()

if __name__ == "__main__":
    sys.exit(main())
