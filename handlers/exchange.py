"""The directory's files in chat: `annuaire importer` with files, `annuaire exporter`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bot import foureyes, jobs
from bot.card import Card, Paragraph, Reply
from bot.command import first_word
from bot.context import Context
from bot.directory import preview, proposals, scopes
from bot.directory.accounts import address_of
from bot.directory.proposals import Proposal
from bot.directory.tables import Person
from bot.errors import UserError
from bot.files import ending, safe_name
from bot.interpret import spelled
from bot.message import Address, Attachment
from bot.outbox import Placing, to_args
from bot.relay import said
from bot.rights import Denied, least, may
from bot.texts import Text

_IMPORT: Final = ("importer", "import")
_EXPORT: Final = ("exporter", "export")
_VCARD: Final = ("vcard", "vcards", "vcf")
_NUMBER: Final = re.compile(r"[1-9]\d{0,8}")


def asked(ctx: Context, words: str) -> Callable[[], Reply] | None:
    """Return what does `annuaire importer …` and `annuaire exporter …`; None for a search.

    Files without a word are an import.
    """
    word, rest = first_word(words)
    attached: tuple[Attachment, ...] = getattr(ctx.inbound, "files", ())
    if spelled(word) in _EXPORT and (not rest or spelled(rest) in _VCARD):
        return lambda: _export(ctx, "vcard" if rest else "csv")
    if (spelled(word) in _IMPORT and not rest) or not words:
        return (lambda: _begin(ctx, attached)) if attached or words else None
    act, number = first_word(rest)
    answer = _ANSWERS.get(spelled(act))
    if spelled(word) in _IMPORT and answer is not None and _NUMBER.fullmatch(number):
        return lambda: answer(ctx, int(number))
    return None


def _begin(ctx: Context, attached: tuple[Attachment, ...]) -> Reply:
    """Let files be read; without any, say how they are sent."""
    scope, place = _scope(ctx), _alone(ctx)
    if not attached:
        if ctx.to.surface != "direct":
            return Card(None, (Paragraph(Text.of("proposal.how")),))
        prompt = Placing(prompt=("annuaire", "importer"), asked_of=ctx.inbound.author.id)
        ctx.say(place, Card(None, (Paragraph(Text.of("prompt.importer")),)), "prompt", prompt)
        return None
    for file in attached:
        _check(ctx, file)
    row = proposals.begin(
        ctx.session,
        ctx.actor.person or "",
        ctx.inbound.author.id,
        attached,
        scope=scope,
        said_at=replace(said.place(ctx), audience=None),
        to=place,
        now=ctx.now,
    )
    ctx.outbox.put(place, preview.reading([name for _, name in row.parcels]), key=row.key)
    _pointer(ctx, place)
    return None


def _check(ctx: Context, file: Attachment) -> None:
    """Refuse a file that can be none of the directory's. Raises UserError."""
    name = safe_name(file.name)
    if ending(name) not in proposals.ENDINGS:
        raise UserError("proposal.kind", name=name)
    if file.size > ctx.world.limits.largest:
        reason = Text.of("file.too_large.limit", limit=ctx.world.limits.largest // 1_000_000 or 1)
        raise UserError("proposal.unfetched", name=name, reason=reason)


def _apply(ctx: Context, number: int) -> Reply:
    """Let what was shown be stored: by its author, within what they may change now; much of it with a second person."""
    row = proposals.of(ctx.session, number, ctx.actor.person)
    alone = proposals.agree(ctx.session, row, _scope(ctx), ctx.now, ctx.world.alone_up_to)
    _over(ctx, row, "storing" if alone else "asked")
    if alone:
        return None
    names, (added, changed, closed) = tuple(name for _, name in row.parcels), row.counts
    what = Text.of(f"four_eyes.{proposals.MANY}.of", names=names, added=added, changed=changed, closed=closed)
    return foureyes.ask(ctx, proposals.MANY, row.seconded, what, look=preview.look(row.id))


def _look(ctx: Context, number: int) -> Reply:
    """Show who may let it be stored what would change."""
    if not may(ctx.actor.rights, proposals.MANY):
        raise Denied(proposals.MANY, "right.missing", right=Text.of(f"right.{least(proposals.MANY)}"))
    row = proposals.locked(ctx.session, number)
    act = foureyes.waiting(ctx.session, proposals.MANY, row.seconded) if row is not None else None
    if row is None or act is None or ctx.actor.person is None:
        raise UserError("proposal.over")
    place, key = _alone(ctx), foureyes.shown(act, ctx.key)
    ctx.outbox.put(place, preview.reading([name for _, name in row.parcels]), key=key)
    args = {"shown": row.id, "to": to_args(place), "person": ctx.actor.person, "target": key}
    jobs.put(ctx.session, "preview", args, lane=proposals.LANE, queue="in", key=f"preview:{key}", now=ctx.now)
    _pointer(ctx, place)
    return None


def _drop(ctx: Context, number: int) -> Reply:
    """Forget what was shown."""
    row = proposals.of(ctx.session, number, ctx.actor.person)
    if row.state != "shown":
        raise UserError("proposal.over")
    proposals.end(ctx.session, row, "dropped")
    _over(ctx, row, "dropped")
    return None


def _over(ctx: Context, row: Proposal, state: str) -> None:
    if row.card_key is not None:
        ctx.outbox.edit(row.card_key, preview.ended(state), revision=state)


_ANSWERS: Mapping[str, Callable[[Context, int], Reply]] = {
    **dict.fromkeys(("appliquer", "apply"), _apply),
    **dict.fromkeys(("abandonner", "drop"), _drop),
    **dict.fromkeys(("voir", "show"), _look),
}


def _export(ctx: Context, form: str) -> Reply:
    """Write what this person may see and keep of the directory into an archive for them alone."""
    scope, place = _scope(ctx), _alone(ctx)
    args = {"format": form, "scope": json.loads(scope), "at": ctx.now.isoformat(), "to": to_args(place)}
    args |= {"person": ctx.actor.person}
    key = f"export:{ctx.key}"
    jobs.put(ctx.session, "export", args, lane=proposals.LANE, queue="in", key=key, now=ctx.now)
    ctx.outbox.put(place, preview.over("export.begun"), key=f"{key}/begun")
    _pointer(ctx, place)
    return None


def _scope(ctx: Context) -> str:
    """Return what this person may change, as a proposal keeps it. Raises UserError where that is nothing."""
    found = scopes.of(ctx.session, ctx.actor, ctx.now)
    if ctx.actor.person is None or not found.useful:
        raise Denied("directory.import", "proposal.editors_only")
    return found.as_json()


def _alone(ctx: Context) -> Address:
    """Return where this person is spoken to alone."""
    if ctx.to.surface == "direct" or ctx.to.platform == "console":
        return Address(ctx.to.platform, ctx.to.room, surface=ctx.to.surface)
    person = ctx.session.get_one(Person, ctx.actor.person)
    return address_of(person, (ctx.to.platform,)) or replace(ctx.to, audience=ctx.inbound.author)


def _pointer(ctx: Context, place: Address) -> None:
    """Say in a room that somebody is answered elsewhere."""
    if place.room != ctx.to.room:
        ctx.say(said.place(ctx), Card(None, (Paragraph(Text.of("reply.in_private")),)), "pointer")
