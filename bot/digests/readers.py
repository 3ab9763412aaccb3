"""For whom a digest is: what they may see, where they are spoken to, in which words and by whose clock."""

from dataclasses import dataclass

from bot.context import Scope
from bot.digests.tables import Digest
from bot.directory.accounts import account_on, address_of
from bot.directory.identity import Actor, known, of_room
from bot.directory.rooms import room_of
from bot.directory.tables import Person
from bot.message import Address
from bot.rights import may
from bot.texts import Reader
from bot.worktime.holidays import Place


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads a digest. `account` is the one by which questions know a person."""

    actor: Actor
    to: Address
    words: Reader
    place: Place  # whose holidays and weekends count
    account: str = ""

    @property
    def zone(self) -> str:
        """By whose clock it is due."""
        return self.words.zone


def audience(ctx: Scope, digest: Digest) -> Audience | None:
    """Return who reads a digest now; None where nobody may: they left, or their room speaks for another by now."""
    return _person(ctx, digest) if digest.person is not None else _room(ctx, digest)


def zone_of(ctx: Scope, digest: Digest) -> tuple[str, Place]:
    """Return by whose clock and whose holidays a digest is due, whether or not it can be said."""
    if digest.person is not None:
        person = ctx.session.get_one(Person, digest.person)
        actor = known(ctx.session, person, ctx.now)
        return digest.zone or actor.zone or ctx.world.zone, _place(ctx, actor.organisation)
    org = ctx.directory().organisations.get(digest.organisation or "")
    return digest.zone or (org.timezone if org is not None else "") or ctx.world.zone, _place(ctx, digest.organisation)


def may_act(actor: Actor, digest: Digest) -> bool:
    """Say whether somebody may see, change and stop a digest: its person; those who act for its room."""
    if digest.person is not None:
        return digest.person == actor.person
    return acts_for(actor, digest.organisation)


def acts_for(actor: Actor, organisation: str | None) -> bool:
    """Say whether somebody may subscribe the room of an organisation."""
    own = organisation is not None and organisation == actor.organisation
    return may(actor.rights, "digest.keep", *(("organisation",) if own else ()))


def _person(ctx: Scope, digest: Digest) -> Audience | None:
    person = ctx.session.get(Person, digest.person)
    actor = known(ctx.session, person, ctx.now) if person is not None else None
    if person is None or actor is None or not actor.rights:
        return None
    platforms = ctx.world.platforms
    first = [digest.platform] if digest.platform in platforms else []
    to = next((at for name in (*first, *platforms) if (at := address_of(person, (name,))) is not None), None)
    if to is None and digest.platform == "console":
        to = Address("console", digest.room)
    if to is None:
        return None
    zone, place = zone_of(ctx, digest)
    language = digest.language or actor.language or ctx.outbox.reader(to).language
    account = account_on(person, to.platform)
    return Audience(actor, to, Reader(language, zone), place, digest.account or (account.id if account else ""))


def _room(ctx: Scope, digest: Digest) -> Audience | None:
    to = Address(digest.platform, digest.room)
    row = room_of(ctx.session, to.platform, to.room)
    if row is None or row.state != "open" or row.organisation is None or row.organisation != digest.organisation:
        return None
    zone, place = zone_of(ctx, digest)
    language = digest.language or ctx.outbox.reader(to).language
    return Audience(of_room(row.organisation), to, Reader(language, zone), place)


def _place(ctx: Scope, organisation: str | None) -> Place:
    org = ctx.directory().organisations.get(organisation or "")
    return Place(org.country, org.subdivision) if org is not None else Place("")
