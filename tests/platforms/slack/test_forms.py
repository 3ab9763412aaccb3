"""Forms as modals, and what comes back."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.card import Choice, Errors, Field, Form
from bot.message import Address, Invocation, User
from bot.platforms.slack.views import form_view, origin_of, refusal, submitted_values
from tests.fakes.slack.blocks import checked_view

AT = datetime(2026, 3, 14, tzinfo=UTC)

texts = st.text(max_size=200) | st.builds(lambda t, n: t * n, st.text(min_size=1, max_size=9), st.integers(1, 900))
names = st.text(st.sampled_from("abcdefghij_"), min_size=1, max_size=12)
choices = st.builds(Choice, st.text(min_size=1, max_size=200), texts)
fields = st.builds(
    Field,
    name=names,
    label=texts,
    kind=st.sampled_from(["line", "text", "choice"]),
    value=texts,
    hint=st.none() | texts,
    choices=st.lists(choices, max_size=120).map(tuple),
    optional=st.booleans(),
)
forms = st.builds(
    Form,
    command=st.just("question"),
    title=texts,
    submit=texts,
    fields=st.lists(fields, max_size=12).map(tuple),
    line=texts,
    intro=st.none() | texts,
)


def asked(room: str = "C1", thread: str | None = "1.5", pressed: str | None = "1.7") -> Invocation:
    to = Address("slack", room, thread)
    return Invocation(
        id="i", at=AT, author=User("slack", "U1"), to=to, command="question", pressed=pressed, trigger="t"
    )


@settings(deadline=None, max_examples=40)
@given(forms)
def test_slack_takes_every_form_and_its_answer_finds_back(form: Form) -> None:
    view = form_view(form, asked())
    checked_view(view)
    command, line, to, pressed = origin_of(view, "U1")
    assert (command, to, pressed) == ("question", Address("slack", "C1", "1.5"), "1.7")
    assert form.line.startswith(line)
    if len(json.dumps(form.line, ensure_ascii=False)) < 2800:
        assert line == form.line


@pytest.mark.parametrize("size", [limit + more for limit in (24, 75, 100, 150, 2000, 3000) for more in (-1, 0, 1)])
def test_at_the_edge_of_every_limit_slack_takes_the_form(size: int) -> None:
    text = "x" * size
    options = tuple(Choice(f"{n:04}", text) for n in range(size)) if size < 200 else (Choice("1", text),)
    fields = (Field("a", text, "choice", choices=options), Field("b", text, "text", text, text))
    checked_view(form_view(Form("question", text, text, fields, line=text, intro=text), asked()))
    long = (Field("a", "A", "choice", choices=(Choice(text, "un"), Choice("1", "deux"))),)
    checked_view(form_view(Form("question", "T", "E", long), asked()))
    many = tuple(Field(f"f{n}", "A") for n in range(min(size, 200)))
    checked_view(form_view(Form("question", "T", "E", many, intro="x"), asked()))


def test_the_origin_of_a_modal_survives_every_surface() -> None:
    for to in (
        Address("slack", "D1", surface="direct"),
        Address("slack", "U1", surface="home"),
        Address("slack", "C1"),
    ):
        view = form_view(
            Form("question", "Titre", "Envoyer", ()),
            Invocation(id="i", at=AT, author=User("slack", "U1"), to=to, command="x"),
        )
        assert origin_of(view, "U1")[2:] == (to, None)


def test_a_modal_that_is_not_ours_leads_to_the_direct_room() -> None:
    for metadata in ("", "[]", "{", "null", '{"surface": "moon"}'):
        assert origin_of({"private_metadata": metadata}, "U1") == (
            "",
            "",
            Address("slack", "U1", surface="direct"),
            None,
        )


def test_what_was_typed_is_markdown_and_what_was_chosen_is_itself() -> None:
    values = {
        "texte": {"value": {"type": "plain_text_input", "value": "# *urgent*\nsnake_case"}},
        "vide": {"value": {"type": "plain_text_input", "value": None}},
        "choix": {"value": {"type": "static_select", "selected_option": {"value": "*a*"}}},
        "rien": {"value": {"type": "static_select", "selected_option": None}},
    }
    found = submitted_values({"state": {"values": values}})
    assert found == {"texte": "\\# \\*urgent\\*  \nsnake_case", "vide": "", "choix": "*a*", "rien": ""}


def test_a_field_begins_with_its_value_in_plain_text() -> None:
    fields = (
        Field("a", "A", "text", r"\# \*x\*"),
        Field("b", "B", "choice", "2", choices=(Choice("1", "un"), Choice("2", "deux"))),
    )
    view = form_view(Form("question", "Titre", "Envoyer", fields), asked())
    assert view["blocks"][0]["element"]["initial_value"] == "# *x*"
    assert view["blocks"][1]["element"]["initial_option"]["value"] == "2"


def test_errors_name_inputs_of_the_modal() -> None:
    view = form_view(Form("question", "Titre", "Envoyer", (Field("a", "A"), Field("b", "B"))), asked())
    found = refusal(Errors((("b", "Trop **long**"), ("ailleurs", "Non"), ("a", "Vide"))), view)
    assert found == {"response_action": "errors", "errors": {"b": "Trop long", "a": "Non Vide"}}
    assert refusal(Errors(()), view) == {}
    assert refusal(Errors((("a", ""),)), view)["errors"]["a"]
