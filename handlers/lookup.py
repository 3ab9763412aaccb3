"""Looking somebody up in the directory."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bot.card import Block, Button, Buttons, Card, Fields, Paragraph, Reply, Words
from bot.command import command
from bot.context import Context
from bot.directory.files import LAND, ROLES
from bot.directory.identity import Actor
from bot.directory.ids import slug
from bot.directory.rooms import room_of
from bot.directory.tables import Organisation, Person
from bot.directory.visibility import seen_by
from bot.errors import UserError
from bot.grammar import Rest
from bot.interpret import spelled
from bot.message import File
from bot.rights import has
from bot.routing.decide import route
from bot.routing.model import Question
from bot.routing.names import FRANCE
from bot.search import cards
from bot.search.hits import Hit, meant
from bot.search.view import View
from bot.texts import Markdown, Row, Text, escape
from handlers import exchange, keeping

SHOWN = 5  # of a list
NEAR = 3  # of what comes near
BESIDE = 0.75  # who comes nearer than that is offered below the card

_TO_ALL = re.compile(r"(?:a|pour) tous\b[\s:,]*|(?:to|for) (?:all|everybody|everyone)\b[\s:,]*")
_VCARD = re.compile(r"vcard\s+(\S+)")


@command("annuaire", alias="directory", right="reader", private=True)
def lookup(ctx: Context, recherche: Rest) -> Reply:
    """Find who to write to: one hit gives its card, several a short list, none what comes near.

    `annuaire à tous …` shows it to everybody here; what is shown then is what all of them may see.
    """
    words, to_all = _addressed(unicodedata.normalize("NFC", recherche.strip()))
    act = None if to_all else exchange.asked(ctx, words)
    if act is not None:
        return act()
    if not words:
        raise UserError("lookup.empty")
    own = None if to_all else keeping.asked(ctx, words)
    if own is not None:
        return own
    view = _view(ctx, _of_room(ctx) if to_all else ctx.actor)
    kept = _VCARD.fullmatch(words)
    card = _to_keep(view, kept[1]) if kept else _named(ctx, view, words) or _found(ctx, view, words)
    if not to_all or card.title is None:  # that nothing was found concerns only who looked
        return card
    ctx.say(ctx.to, card, "shown")
    return None


def _addressed(words: str) -> tuple[str, bool]:
    """Return the words to look up, and whether everybody shall see the answer."""
    found = _TO_ALL.match(spelled(words))
    return (words[found.end() :], True) if found else (words, False)


def _view(ctx: Context, actor: Actor) -> View:
    reader = ctx.outbox.reader(ctx.to)
    return View(ctx.session, actor, ctx.now, actor.zone or reader.zone, ctx.world.rules.countries)


def _of_room(ctx: Context) -> Actor:
    """Return who sees what everybody in this room may see: a member of its organisation, else a mere reader."""
    row = room_of(ctx.session, ctx.to.platform, ctx.to.room) if ctx.to.surface == "room" else None
    organisation = row.organisation if row is not None else None
    right = "member" if organisation is not None else "reader"
    return Actor(None, None, None, organisation, frozenset({right}), None, None)


def _named(ctx: Context, view: View, words: str) -> Card | None:
    """Return the card that a button names by its id and an office."""
    id_, _, role = words.partition(" ")
    organisation = view.organisation(id_)
    if organisation is not None and (not role or role in ROLES):
        return _organisation(ctx, view, organisation, role, ())
    person = view.person(id_) if not role else None
    return _person(ctx, view, person, ()) if person is not None else None


def _found(ctx: Context, view: View, words: str) -> Card:
    hits = ctx.world.finder.find(ctx.session, words, limit=SHOWN, visible_to=view.actor, at=ctx.now)
    if not hits or not hits[0].sure:
        return _elsewhere(ctx, view, words) or _near(ctx, view, words, hits)
    best = hits[0]
    hits = [hit for hit in hits if hit.sure and hit.score > BESIDE * best.score and not _shown_by(best, hit, view)]
    if len(meant(hits)) > 1:
        return _list(None, view, hits)
    others = hits[1:]
    organisation = view.organisation(best.id) if best.kind == "organisation" else None
    if organisation is not None:
        return _organisation(ctx, view, organisation, best.role or "", others)
    person = view.person(best.id)
    return _person(ctx, view, person, others) if person is not None else _list(None, view, hits)


def _elsewhere(ctx: Context, view: View, words: str) -> Card | None:
    """Return whom to turn to for what is not for the network, however it is asked."""
    asked, seen = Question(words, asker=view.actor.organisation), seen_by(ctx.directory(), view.actor)
    decision = route(asked, ctx.rules(), seen, ctx.today)
    if decision.decision != "advise" or decision.advice is None:
        return None
    return Card(Text.of("advice.title"), (Paragraph(decision.advice),))


def _near(ctx: Context, view: View, words: str, hits: Sequence[Hit]) -> Card:
    """Return what comes near, and the way to ask instead."""
    asking = Button(Text.of("button.question"), "question", words) if _may_ask(ctx) else None
    if hits:
        buttons = (*(_of_hit(view, hit) for hit in hits[:NEAR]), *((asking,) if asking else ()))
        return Card(Text.of("lookup.near", words=words[:80]), (Buttons(buttons),))
    said = Paragraph(Text.of("lookup.nothing", words=words[:80]))
    return Card(None, (said, Buttons((asking,))) if asking else (said,))


def _may_ask(ctx: Context) -> bool:
    return has(ctx.actor.rights, ctx.world.commands["question"].right)


def _shown_by(best: Hit, hit: Hit, view: View) -> bool:
    """Whether the card of the best hit names this one already: it holds the office that was found."""
    if not best.role or best.kind != "organisation" or hit.kind != "person":
        return False
    return hit.id in {person.id for person in view.holders(best.id, best.role)[: cards.HOLDERS]}


def _organisation(ctx: Context, view: View, row: Organisation, role: str, others: Sequence[Hit]) -> Card:
    fields = Fields(tuple(cards.of_organisation(view, row, role)))
    blocks: list[Block] = [fields]
    buttons: list[Button] = []
    if row.status != "open":
        blocks.insert(0, Paragraph(Text.of(f"lookup.status.{row.status}")))
        successor = view.organisation(row.successor)
        buttons += [_button(successor, "", escape(successor.name))] if successor is not None else []
    for person in view.holders(row.id, role)[: cards.HOLDERS] if role else ():
        there = view.replacing(person) or person
        buttons.append(_button(there, "", escape(cards.full_name(there))))
    if not buttons and not _is_reached(view, row) and _may_ask(ctx):
        buttons.append(Button(Text.of("button.question"), "question", ""))
    buttons += _after(ctx, row, role, others, view)
    return Card(cards.office(role, row.name), (*blocks, *_buttons(buttons)))


def _is_reached(view: View, row: Organisation) -> bool:
    """Whether the card says how to write or call, and somebody is there who answers."""
    return row.status == "open" and bool(view.value(row, "phone") or view.value(row, "email"))


def _person(ctx: Context, view: View, row: Person, others: Sequence[Hit]) -> Card:
    pairs = tuple(cards.of_person(view, row))
    buttons: list[Button] = []
    other = view.replacing(row)
    if other is not None:
        buttons.append(_button(other, "", escape(cards.full_name(other))))
    for posting in view.postings(row.id)[:1]:
        at = view.organisation(posting.organisation)
        buttons += [_button(at, "", escape(at.name))] if at is not None else []
    buttons += _after(ctx, row, "", others, view)
    blocks = (Fields(pairs),) if pairs else (Paragraph(Text.of("lookup.no_details")),)
    return Card(escape(cards.full_name(row)), (*blocks, *_buttons(buttons)))


def _after(ctx: Context, row: Organisation | Person, role: str, others: Sequence[Hit], view: View) -> Iterator[Button]:
    """Yield what else can be done: keep it, show it to the others here, or look at what was found besides."""
    yield Button(Text.of("button.vcard"), "annuaire", f"vcard {row.id}")
    if ctx.to.surface == "room" and ctx.to.platform != "console" and view.actor is ctx.actor:
        yield Button(Text.of("button.montrer"), "annuaire", f"à tous {row.id} {role}".strip())
    yield from (_of_hit(view, hit) for hit in others)


def _list(title: Words | None, view: View, hits: Sequence[Hit]) -> Card:
    return Card(title or Text.of("lookup.title"), (Buttons(tuple(_of_hit(view, hit) for hit in hits)),))


def _of_hit(view: View, hit: Hit) -> Button:
    """Return a hit's button, which tells it from the others: what it is, and where."""
    organisation = view.organisation(hit.organisation)
    short = _short(organisation) if organisation is not None else ""
    name = escape(hit.name) if hit.kind == "person" else cards.office(hit.role or "", short)
    post = cards.office(hit.role or "", short) if hit.kind == "person" and short else ""
    country = view.countries.get(hit.country or "") if hit.country != FRANCE else None
    abroad = Text.of("lookup.country", country=country.fr, country_en=country.en) if country else ""
    city = escape(hit.city) if hit.city and hit.city not in short else ""
    label = Text.of("lookup.label", parts=Row(_marked(part) for part in (name, post, city, abroad) if part))
    return Button(label, "annuaire", f"{hit.id} {hit.role or ''}".strip() if hit.kind == "organisation" else hit.id)


def _short(row: Organisation) -> str:
    """Return a name for a button; those of prefectures are short, and say what they are prefectures of."""
    return row.name if row.kind in LAND else row.short_name or row.name


def _marked(part: Words) -> Words:
    return Markdown(part) if isinstance(part, str) else part


def _button(row: Organisation | Person, role: str, label: Words) -> Button:
    return Button(label, "annuaire", f"{row.id} {role}".strip())


def _buttons(buttons: Sequence[Button]) -> tuple[Buttons, ...]:
    return (Buttons(tuple(dict.fromkeys(buttons))),) if buttons else ()


def _to_keep(view: View, id_: str) -> Card:
    row = view.organisation(id_) or view.person(id_)
    if row is None:
        raise UserError("lookup.nothing", words=id_[:80])
    name = row.name if isinstance(row, Organisation) else cards.full_name(row)
    file = File(f"{slug(name) or row.id}.vcf", cards.to_keep(view, row).encode())
    return Card(escape(name), (Paragraph(Text.of("lookup.vcard")),), files=(file,))
