"""Keeping the directory true: one's own card, corrections, confirmations, what is overdue."""

import re
from collections.abc import Mapping, Sequence

from bot.card import Button, Buttons, Card, Choice, Errors, Field, Fields, Form, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.directory import confirming, history, keeping
from bot.directory.days import postings_held
from bot.directory.files import PEOPLE
from bot.directory.history import Author
from bot.directory.tables import Organisation, Person
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.message import Invocation
from bot.rights import Denied, may
from bot.search.cards import full_name
from bot.search.view import View
from bot.texts import Lines, Markdown, Text, unescaped

PAGE = 10  # overdue cards shown at once

_ME = ("moi", "me")
_OVERDUE = re.compile(r"(?:a confirmer|to confirm)(?:\s+(\d{1,4}))?")
_HISTORY = re.compile(r"(?:historique|history)(?:\s+(\S+))?")
_CORRECT = ("corriger", "correct")
_LINKED = re.compile(r"\[([^\]]*)\]\((?:mailto:|tel:|https?:)[^)]*\)|<(?:mailto:|tel:)?([^<>\s]+)>")
_EMPTY = ("-", "–", "—")  # what empties a field

_FIELDS = {  # how fields are called when they are typed, in capitals or not, with accents or without
    "given_name": "given_name prenom first",
    "family_name": "family_name nom last",
    "phone": "phone telephone tel",
    "email": "email e-mail courriel mail mel",
    "language": "language langue",
    "visibility": "visibility visibilite",
    "address": "address adresse",
    "website": "website site",
    "opening_hours": "opening_hours horaires hours",
}
_CALLED = {word: name for name, words in _FIELDS.items() for word in words.split()}
_NOTHING: Mapping[str, str] = {}
_CHOICES: Mapping[str, Mapping[str, str]] = {  # what can be chosen, each with one of the words that it is known by
    "language": {"fr": "fr francais french", "en": "en anglais english"},
    "visibility": {"all": "all tous everybody", "network": "network reseau", "own": "own service office"},
}


def asked(ctx: Context, words: str) -> Reply:
    """Return what `annuaire moi`, `corriger`, `à confirmer` and `historique` give behind it; None for a search."""
    plain = spelled(words.strip())
    if plain.partition(" ")[0] in _CORRECT:
        return correct(ctx, words.strip().partition(" ")[2])
    if plain in _ME:
        return _shown(ctx, keeping.card(ctx.session, ctx.actor, "", _author(ctx)))
    page = _OVERDUE.fullmatch(plain)
    if page is not None:
        return _overdue(ctx, int(page[1] or 1))
    found = _HISTORY.fullmatch(plain)
    return _history(ctx, words.strip().partition(" ")[2].strip()) if found is not None else None


@command("corriger", alias="correct", private=True)
def correct(ctx: Context, quoi: Rest = "") -> Reply:
    """Correct a card: `corriger [FICHE] CHAMP VALEUR`, a line a field; without values a form where there are forms."""
    filled: Mapping[str, str] = ctx.inbound.form if isinstance(ctx.inbound, Invocation) else _NOTHING
    id_, said = (quoi.strip(), "") if filled else _split(quoi)
    card = keeping.card(ctx.session, ctx.actor, id_, _author(ctx))
    values = {name: unescaped(value) for name, value in filled.items() if name in card.columns}
    if not values and not said:
        return _form(card) if isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger else _how(card)
    wrong = keeping.correct(ctx.session, card, values or _values(card, said), _author(ctx), ctx.world.confirm_every)
    if not wrong:
        return _shown(ctx, card, Text.of("keeping.corrected"))
    if filled:
        return Errors(tuple(wrong.items()))
    name, reason = next(iter(wrong.items()))
    raise UserError("keeping.wrong", field=Text.of(f"field.{name}"), reason=reason)


@command("confirmer", alias="confirm", private=True)
def confirm(ctx: Context, fiche: str = "") -> Reply:
    """Say that a card is true as it is, one's own unless another is named."""
    card = keeping.card(ctx.session, ctx.actor, fiche, _author(ctx))
    keeping.confirm(ctx.session, card, _author(ctx), ctx.world.confirm_every)
    name = _name(card)
    return Card(None, (Paragraph(Text.of("keeping.confirmed", name=name)),))


def _shown(ctx: Context, card: keeping.Card, said: Text | None = None) -> Card:
    pairs: list[tuple[Words, Words]] = [
        (Text.of(f"field.{name}"), _value(name, value)) for name, value in card.values().items()
    ]
    notes: list[Words] = [said] if said is not None else []
    if isinstance(card.row, Person):
        pairs += [(Text.of("field.posting"), posting) for posting in _postings(ctx, card.row)]
        notes += [] if said is not None else [_freshness(ctx, card.row)]
    yes = Button(Text.of("button.confirmer"), "confirmer", card.row.id, "primary")
    no = Button(Text.of("button.corriger"), "corriger", card.row.id)
    buttons = (no,) if said is not None else (yes, no)
    return Card(_name(card), (*map(Paragraph, notes), Fields(tuple(pairs)), Buttons(buttons)))


def _postings(ctx: Context, person: Person) -> Sequence[Text]:
    organisations = ctx.directory().organisations
    return [
        Text.of(
            "keeping.posting",
            role=Text.of(f"role.{posting.role}"),
            organisation=organisations[posting.organisation].name,
            start=posting.start,
        )
        for posting, _ in postings_held(ctx.session, person.id, ctx.now)
    ]


def _freshness(ctx: Context, person: Person) -> Text:
    row = ctx.session.get(confirming.Confirmation, person.id)
    if row is None:
        return Text.of("keeping.never_confirmed")
    key = "keeping.overdue" if row.overdue_at <= ctx.now else "keeping.fresh" if row.confirmed else "keeping.entered"
    return Text.of(key, since=row.since.date())


def _form(card: keeping.Card) -> Form:
    return Form(
        command="corriger",
        line=card.row.id,
        title=Text.of("form.corriger.title"),
        submit=Text.of("form.corriger.submit"),
        intro=Text.of("form.corriger.intro", name=_name(card)),
        fields=tuple(
            Field(
                name=name,
                label=Text.of(f"field.{name}"),
                kind="choice" if name in _CHOICES else "text" if name == "address" else "line",
                value=value,
                choices=tuple(Choice(each, Text.of(f"choice.{each}")) for each in _CHOICES.get(name, ())),
                optional=name != "visibility",
            )
            for name, value in card.values().items()
        ),
    )


def _how(card: keeping.Card) -> Card:
    """Return how a card is corrected where no form can be opened."""
    fields = tuple(Text.of(f"field.{name}") for name in card.columns)
    return Card(_name(card), (Paragraph(Text.of("keeping.how", id=Markdown(card.row.id), fields=fields)),))


def _split(line: str) -> tuple[str, str]:
    """Return the id of the card that a line begins with, if it does not begin with a field, and the rest."""
    first, _, rest = line.strip().partition(" ")
    if not first or spelled(first.splitlines()[0].rstrip(":")) in _CALLED:
        return "", line.strip()
    word, *more = line.strip().split(maxsplit=1)
    return word, more[0] if more else rest.strip()


def _values(card: keeping.Card, said: str) -> dict[str, str]:
    """Return the fields that were typed, a line each. Raises UserError for one that the card does not have."""
    values: dict[str, str] = {}
    for line in filter(str.strip, said.splitlines()):
        word, *rest = line.split(maxsplit=1)
        name = _CALLED.get(spelled(word.rstrip(":")), "")
        if name not in card.columns:
            fields = tuple(Text.of(f"field.{column}") for column in card.columns)
            raise UserError("keeping.no_such_field", word=word[:40], fields=fields)
        value = _plain(rest[0]) if rest else ""
        if not value:
            raise UserError("keeping.no_value", field=Text.of(f"field.{name}"))
        values[name] = "" if value in _EMPTY else _chosen(name, value)
    return values


def _chosen(name: str, value: str) -> str:
    """Return a value, where there is a choice the one that its words mean. Raises UserError for any other."""
    if name not in _CHOICES:
        return value
    said = set(spelled(value).split())
    for choice, words in _CHOICES[name].items():
        if not said.isdisjoint(words.split()):
            return choice
    raise UserError("keeping.wrong", field=Text.of(f"field.{name}"), reason=Text.of(f"keeping.choices.{name}"))


def _plain(value: str) -> str:
    """Return what was typed, where a platform made a link of it or an escape."""
    return unescaped(_LINKED.sub(lambda found: found[1] or found[2], value.strip().removeprefix(":").strip()))


def _overdue(ctx: Context, page: int) -> Card:
    if not may(ctx.actor.rights, "directory.overdue"):
        raise Denied("directory.overdue", "keeping.coordinators_only")
    page = max(1, page)
    total, found = confirming.overdue(ctx.session, ctx.now, offset=(page - 1) * PAGE, limit=PAGE)
    if not found:
        return Card(None, (Paragraph(Text.of("keeping.none_overdue")),))
    lines = Lines(
        Text.of("keeping.overdue_line", name=row.name, id=Markdown(row.id), since=row.since.date())
        if row.since is not None
        else Text.of("keeping.overdue_never", name=row.name, id=Markdown(row.id))
        for row in found
    )
    blocks = (Paragraph(Text.of("keeping.overdue_title", total=total)), Paragraph(Text.of("lines", items=lines)))
    if page * PAGE >= total:
        return Card(None, blocks)
    more = Button(Text.of("button.next_page"), "annuaire", f"à confirmer {page + 1}")
    return Card(None, (*blocks, Buttons((more,))))


def _history(ctx: Context, id_: str) -> Card:
    card = keeping.card(ctx.session, ctx.actor, id_, _author(ctx))
    changes = history.of(ctx.session, card.file, {"id": card.row.id}, PAGE)
    if not changes:
        return Card(_name(card), (Paragraph(Text.of("keeping.no_history")),))
    lines = Lines(
        Text.of(
            "keeping.change",
            at=each.at,
            who=_who(ctx, each),
            what=tuple(_difference(each)),
        )
        for each in changes
    )
    return Card(_name(card), (Paragraph(Text.of("lines", items=lines)),))


def _who(ctx: Context, change: history.Change) -> str | Text:
    """Return who made a change: by name, if whoever asks may see their card."""
    person = View(ctx.session, ctx.actor, ctx.now, "", {}).person(change.person)
    named = full_name(person) if person is not None else change.person or change.account
    return named or Text.of("keeping.operator")


def _difference(change: history.Change) -> Sequence[Text]:
    before, after = history.values(change)
    if before is None:
        return (Text.of("keeping.added"),)
    return [
        Text.of(
            "keeping.difference",
            field=Text.of(f"field.{name}") if name in _FIELDS else name,
            before=_value(name, str(before.get(name) or "")),
            after=_value(name, str(value or "")),
        )
        for name, value in after.items()
    ]


def _value(name: str, value: str) -> Words:
    if not value:
        return "—"
    return Text.of(f"choice.{value}") if name in _CHOICES else Text.of("keeping.value", value=value)


def _name(card: keeping.Card) -> str:
    if card.file is PEOPLE and isinstance(card.row, Person):
        return full_name(card.row)
    return card.row.name if isinstance(card.row, Organisation) else card.row.id


def _author(ctx: Context) -> Author:
    return Author(ctx.now, "card", ctx.actor.person, ctx.inbound.author.id)
