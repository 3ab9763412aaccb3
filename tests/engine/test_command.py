"""A handler's signature is its grammar: how lines and forms become arguments, and what is said when they do not."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

import handlers
from bot.card import Choice, Reply
from bot.command import Missing, bind, command, first_word, form_of, load, numbered
from bot.context import Context, World
from bot.errors import UserError
from bot.grammar import Command, Parameter, Rest
from bot.questions.tables import Question
from bot.texts import LANGUAGES, Catalogues, Reader, Text
from tests.engine.conftest import NOON


def made(handler: Any) -> Command:
    return handler.__command__


@command("tout", alias="all", right="editor", private=True)
def everything(
    ctx: Context, question: Question, sorte: Literal["un", "deux"], mot: str, texte: Rest, *, autre: str = ""
) -> Reply:
    """Take one of each."""


@command("langue")
def language(ctx: Context, langue: Literal["fr", "en"], nuance: str = "") -> Reply: ...


@command("dire")
def say(ctx: Context, question: Question, texte: Rest) -> Reply: ...


@command("chercher")
def look(ctx: Context, texte: Rest = "") -> Reply: ...


@command("rien")
def nothing(ctx: Context) -> Reply: ...


@pytest.fixture
def asked(context: Context) -> Question:
    """A question that is there: Q-2026-00042."""
    question = Question(number="Q-2026-00042", state="routed", text="?", asker_account="a", asked_at=NOON)
    context.session.add(question)
    context.session.flush()
    return question


def refusal(context: Context, handler: Any, line: str, form: dict[str, str] | None = None) -> Text:
    with pytest.raises(UserError) as told:
        bind(context, made(handler), line, form or {})
    return told.value.text


# --- grammar


def test_a_signature_is_the_grammar() -> None:
    assert made(everything).parameters == (
        Parameter("question", "question", required=True),
        Parameter("sorte", "choice", required=True, choices=("un", "deux")),
        Parameter("mot", "word", required=True),
        Parameter("texte", "rest", required=True),
        Parameter("autre", "word", required=False),
    )
    assert (made(everything).name, made(everything).alias, made(everything).right) == ("tout", "all", "editor")


def test_the_usage_line_shows_it_as_typed() -> None:
    assert made(everything).usage() == "tout [Q-…] un|deux MOT TEXTE [AUTRE]"
    assert made(language).usage() == "langue fr|en [NUANCE]"
    assert made(nothing).usage() == "rien"


def test_an_argument_of_another_type_is_refused_when_the_code_is_loaded() -> None:
    with pytest.raises(TypeError, match="no grammar"):

        @command("faux")
        def wrong(ctx: Context, combien: int) -> Reply: ...


def test_the_form_asks_for_every_argument_but_the_question() -> None:
    form = form_of(made(everything), "Q-2026-00042", {"mot": "déjà"})
    assert (form.command, form.line, form.title) == ("tout", "Q-2026-00042", Text.of("form.tout.title"))
    assert [(f.name, f.kind, f.value, f.optional) for f in form.fields] == [
        ("sorte", "choice", "", False),
        ("mot", "line", "déjà", False),
        ("texte", "text", "", False),
        ("autre", "line", "", True),
    ]
    assert form.fields[0].choices == (Choice("un", Text.of("choice.un")), Choice("deux", Text.of("choice.deux")))


# --- binding


def test_a_line_gives_the_arguments_in_order(context: Context, asked: Question) -> None:
    bound = bind(context, made(everything), "Q-2026-00042 DEUX trois Quatre mots\net une ligne", {})
    assert bound == {"question": asked, "sorte": "deux", "mot": "trois", "texte": "Quatre mots\net une ligne"}


def test_a_question_is_known_by_its_number_however_it_is_typed(context: Context, asked: Question) -> None:
    for number in (
        "Q-2026-00042",
        "q-2026-00042",
        "Q-2026-42",
        "Q202642",
        "q2026-0042",
        "Q-2026-00042:",
        "Q-2026-00042,",
        "Q-2026-00042 :",
        "(Q-2026-00042)",
        "**Q-2026-00042**",
        "Q-2026-0000042",
    ):
        for space in (" ", "\n", "\t", "   ", "\u00a0"):
            line = f"{number}{space}Oui."
            assert bind(context, made(say), line, {}) == {"question": asked, "texte": "Oui."}, line


@pytest.mark.parametrize("word", ["Q-26-42", "Q-2026-", "2026-00042", "Q-2026-12345678", "Question", "Q-2026-4x", ""])
def test_what_only_looks_like_a_number_is_a_word(word: str) -> None:
    assert numbered(word) is None


def test_without_a_number_it_is_the_question_of_the_thread(context: Context, asked: Question) -> None:
    about = context.on(asked)
    assert bind(about, made(say), "Oui, Q-2026-00001 aussi.", {}) == {
        "question": asked,
        "texte": "Oui, Q-2026-00001 aussi.",
    }
    missing = bind(context, made(say), "Oui.", {})
    assert isinstance(missing, Missing)
    assert (missing.parameter.name, missing.line) == ("question", "Oui.")


def test_a_number_that_nobody_has_is_told(context: Context) -> None:
    assert refusal(context, say, "q-2026-99 Oui.") == Text.of("question.unknown", number="Q-2026-99")


def test_what_is_missing_is_named_with_what_was_given(context: Context, asked: Question) -> None:
    for line, name in (("Q-2026-42", "texte"), ("Q-2026-42   ", "texte")):
        missing = bind(context, made(say), line, {})
        assert isinstance(missing, Missing)
        assert (missing.parameter.name, missing.line) == (name, "Q-2026-42")
    missing = bind(context, made(language), "", {})
    assert isinstance(missing, Missing)
    assert missing.parameter.name == "langue"


def test_what_is_too_much_is_told_with_the_usage(context: Context) -> None:
    told = refusal(context, language, "fr doucement et longtemps")
    assert told.key == "command.surplus"
    assert dict(told.values) == {"surplus": "et longtemps", "usage": made(language).usage()}
    assert refusal(context, nothing, "du tout").key == "command.surplus"
    assert len(str(dict(refusal(context, nothing, "x" * 900).values)["surplus"])) == 60


def test_another_value_than_the_choices_is_told_with_them(context: Context) -> None:
    told = refusal(context, language, "allemand")
    assert told.key == "command.choice"
    assert dict(told.values)["choices"] == ("fr", "en")
    assert refusal(context, language, "", {"langue": "allemand"}).key == "command.choice"


def test_a_form_gives_its_fields_and_the_line_the_rest(context: Context, asked: Question) -> None:
    bound = bind(context, made(say), "Q-2026-00042", {"texte": "  Oui.\n "})
    assert bound == {"question": asked, "texte": "Oui."}
    assert bind(context, made(language), "", {"langue": "FR", "nuance": ""}) == {"langue": "fr"}
    empty = bind(context, made(say), "Q-2026-00042", {"texte": "   "})
    assert isinstance(empty, Missing)


def test_an_optional_argument_may_be_left_out(context: Context) -> None:
    assert bind(context, made(look), "  ", {}) == {}
    assert bind(context, made(look), "metz", {}) == {"texte": "metz"}
    assert bind(context, made(nothing), " \n", {}) == {}


@given(st.text())
def test_the_first_word_and_the_rest_are_the_line(line: str) -> None:
    word, rest = first_word(line)
    assert [word, *rest.split()] in (line.split(), line.split()[:1] + line.split()[2:], [""])
    assert word == "" or not any(c.isspace() for c in word)


# --- the package of handlers


Package: TypeAlias = Callable[..., ModuleType]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Makes a package of files, as `handlers/` is one."""

    def make(name: str, **files: str) -> ModuleType:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for file, text in files.items():
            (folder / f"{file}.py").write_text("from bot.command import command\n" + text)
        monkeypatch.syspath_prepend(tmp_path)
        return __import__(name)

    return make


def test_a_command_is_found_by_being_there_under_both_its_names(package: Package) -> None:
    found = load(package("shop", one='@command("un", alias="one")\ndef one(ctx): ...\n', helper="x = 1\n"))
    assert set(found) == {"un", "one"}
    assert found["un"] is found["one"]


def test_a_command_that_a_file_only_imports_is_not_its_own(package: Package) -> None:
    source = '@command("un")\ndef one(ctx): ...\n'
    assert set(load(package("lender", one=source, two="from lender.one import one\n"))) == {"un"}


@pytest.mark.parametrize("second", ['"un"', '"deux", alias="un"', '"one"', '"deux", alias="one"'])
def test_two_commands_of_one_name_are_refused(package: Package, second: str) -> None:
    name = "twice" + str(abs(hash(second)))
    shop = package(
        name, one='@command("un", alias="one")\ndef one(ctx): ...\n', two=f"@command({second})\ndef two(ctx): ...\n"
    )
    with pytest.raises(ValueError, match="two commands are called"):
        load(shop)


def test_the_shipped_commands_have_the_names_that_people_were_told(around: World) -> None:
    names = "question annuaire demandes relier langue aide prendre repondre rediriger clore rouvrir annuler".split()
    aliases = "ask directory queue link language help take answer redirect close reopen cancel".split()
    for name, alias in zip(names, aliases, strict=True):
        assert around.commands[name] is around.commands[alias]
        assert around.commands[name].name == name
    assert load(handlers) == around.commands


def test_every_shipped_command_has_all_its_words_in_both_languages(around: World, catalogues: Catalogues) -> None:
    for found in around.commands.values():
        needed = [found.about, Text.of(f"right.{found.right}")]
        for parameter in (p for p in found.parameters if p.required and p.kind != "question"):
            form = form_of(found, "", {})
            labels = [label for f in form.fields for label in (f.label, *(c.label for c in f.choices))]
            needed += [form.title, form.submit, *labels]
            if parameter.kind == "rest":
                needed.append(Text.of(f"prompt.{found.name}"))
        for language_ in LANGUAGES:
            assert all(catalogues.render(words, Reader(language_)) for words in needed)
            assert all(words.key in set(catalogues.keys(language_)) for words in needed if isinstance(words, Text))
