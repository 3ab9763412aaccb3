"""Commands: a handler's signature is its grammar, its form and its help.

A handler is a plain function `(ctx, …typed arguments) -> Reply` in one file of `handlers/`, found by loading that
package. Spellings (slash, `!`, mention, button, form, console) all bind to the same arguments here.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from bot.card import Choice, Field, Form, Reply
from bot.context import Context
from bot.errors import UserError
from bot.grammar import REST, Command, Like, Parameter
from bot.questions.find import NUMBER, by_number
from bot.questions.tables import Question
from bot.texts import Text

Handler = TypeVar("Handler", bound=Callable[..., Reply])

_BETWEEN = re.compile(r"^[:,](?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Missing:
    """Arguments bound so far, and the one that is not there."""

    parameter: Parameter
    line: str


def command(
    name: str,
    *,
    alias: str | None = None,
    right: str = "member",
    private: bool = False,
    listed: bool = True,
    strangers: bool = False,
) -> Callable[[Handler], Handler]:
    """Make a function a command.

    `right` is the least that its use needs, and the answer of a `private` one goes to the asker alone. One that is not
    `listed` is left out of the help: buttons and forms use it. `strangers` may use it too.
    """

    def mark(handler: Handler) -> Handler:
        handler.__command__ = Command(name, alias, right, private, listed, strangers, handler, _parameters(handler))  # pyright: ignore[reportFunctionMemberAccess]
        return handler

    return mark


def load(package: ModuleType) -> Mapping[str, Command]:
    """Return the commands of a package's modules by name and alias. Raises ValueError when two share one."""
    found: dict[str, Command] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for value in list(vars(module).values()):
            own = getattr(value, "__command__", None)
            if not isinstance(own, Command) or value.__module__ != module.__name__:
                continue
            for spelling in filter(None, (own.name, own.alias)):
                if spelling in found:
                    message = f"two commands are called {spelling!r}"
                    raise ValueError(message)
                found[spelling] = own
    return MappingProxyType(found)


def bind(ctx: Context, cmd: Command, line: str, form: Mapping[str, str]) -> dict[str, Any] | Missing:
    """Return the arguments that a line and a form give, or what is missing.

    Raises UserError when something does not fit, a surplus included.
    """
    rest = line.strip()
    bound: dict[str, Any] = {}
    for parameter in cmd.parameters:
        if parameter.name in form:
            value: object | None = _one_of(cmd, parameter, form[parameter.name].strip())
        else:
            value, rest = _take(ctx, cmd, parameter, rest)
        if value is None or value == "":
            if parameter.kind == "rest" and getattr(ctx.inbound, "files", ()):
                bound[parameter.name] = ""  # a file says it
            elif parameter.required:
                return Missing(parameter, line.strip())
            continue
        bound[parameter.name] = value
    if rest:
        raise UserError("command.surplus", surplus=rest[:60], usage=cmd.usage())
    return bound


def form_of(cmd: Command, line: str, values: Mapping[str, str]) -> Form:
    """Return the form that asks for a command's arguments; those that the line gives are not asked."""
    fields = [p for p in cmd.parameters if p.kind != "question"]
    return Form(
        command=cmd.name,
        line=line,
        title=Text.of(f"form.{cmd.name}.title"),
        submit=Text.of(f"form.{cmd.name}.submit"),
        fields=tuple(
            Field(
                name=p.name,
                label=Text.of(f"form.{cmd.name}.{p.name}"),
                kind="text" if p.kind == "rest" else "choice" if p.kind == "choice" else "line",
                value=values.get(p.name, ""),
                choices=tuple(Choice(c, Text.of(f"choice.{c}")) for c in p.choices),
                optional=not p.required,
            )
            for p in fields
        ),
    )


def _take(ctx: Context, cmd: Command, parameter: Parameter, rest: str) -> tuple[object | None, str]:
    if parameter.kind == "rest":
        return rest, ""
    first, after = first_word(rest)
    if not parameter.required and parameter.kind in ("word", "choice") and not parameter.fits(first):
        return None, rest  # it may be the next one
    if parameter.kind == "question":
        number = numbered(first)
        return (_question(ctx, number), after) if number else (ctx.about, rest)
    return _one_of(cmd, parameter, first), after


def first_word(line: str) -> tuple[str, str]:
    """Return the first word of a line, and what follows it and the colon or comma that may stand between."""
    word, *rest = line.split(maxsplit=1) or [""]
    return word, _BETWEEN.sub("", rest[0]) if rest else ""


def numbered(word: str) -> str | None:
    """Return the question's number that a word is, without the signs that stand around it in a sentence."""
    bare = word.strip(':,;.()[]*`«»"')
    return bare if NUMBER.fullmatch(bare) else None


def _one_of(cmd: Command, parameter: Parameter, word: str) -> str:
    if word and parameter.choices and word.casefold() not in parameter.choices:
        raise UserError("command.choice", value=word[:60], choices=parameter.choices, usage=cmd.usage())
    if word and not parameter.fits(word):
        raise UserError("command.shape", value=word[:60], usage=cmd.usage())
    return word.casefold() if parameter.choices else word


def _question(ctx: Context, number: str) -> Question:
    question = by_number(ctx.session, number)
    if question is None:
        raise UserError("question.unknown", number=number.upper())
    return question


def _parameters(handler: Callable[..., Reply]) -> tuple[Parameter, ...]:
    hints = get_type_hints(handler, include_extras=True)
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    return tuple(_parameter(p.name, hints[p.name], p.default is inspect.Parameter.empty) for p in parameters)


def _parameter(name: str, hint: Any, required: bool) -> Parameter:
    shape = next((it for it in get_args(hint) if isinstance(it, Like)), None)
    if shape is not None:
        return Parameter(name, "word", required, pattern=shape.pattern)
    if get_origin(hint) is Annotated and REST in get_args(hint):
        return Parameter(name, "rest", required)
    if hint is Question:
        return Parameter(name, "question", required)
    if get_origin(hint) is Literal:
        return Parameter(name, "choice", required, get_args(hint))
    if hint is str:
        return Parameter(name, "word", required)
    message = f"no grammar for an argument of type {hint!r}"
    raise TypeError(message)
