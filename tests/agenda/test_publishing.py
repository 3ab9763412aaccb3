"""The private feed: what its owner may see, under an address that nobody guesses and that ends when they say so."""

import re
from datetime import timedelta

import aiohttp
from icalendar import Calendar
from sqlalchemy import select

from bot import http
from bot.agenda.tables import Publication
from bot.directory.tables import Posting
from tests.stories.people import alone
from tests.stories.scene import Scene


async def get(play: Scene, secret: str, **headers: str) -> tuple[int, bytes, str]:
    where = play.app.settings.http
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{where.host}:{where.port}/calendar/{secret}.ics", headers=headers) as answer,
    ):
        return answer.status, await answer.read(), answer.headers.get("ETag", "")


async def test_a_feed_is_subscribed_changes_and_ends(play: Scene, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    from tests.servers.processes import free_port

    own = play.app.settings.http.model_copy(update={"port": free_port()})
    monkeypatch.setattr(play.app, "settings", play.app.settings.model_copy(update={"http": own}))
    me = alone(play)
    await me.say("agenda ajouter 19 mars 14h Strasbourg CCT plénière")
    await me.say("agenda abonnement")
    [secret] = re.findall(r"/calendar/([\w-]+)\.ics", me.sees("Votre abonnement").text)
    kept = play.app.database.run_now(lambda s: s.scalars(select(Publication)).one())
    assert secret not in repr(vars(kept))
    async with http.serving(play.app):
        status, body, etag = await get(play, secret)
        assert status == 200
        found = Calendar.from_ical(body).walk("VEVENT")
        titles = {str(each["SUMMARY"]): str(each["UID"]) for each in found}
        assert "CCT plénière" in titles
        assert any(title.startswith("Fête-Dieu (Allemagne") for title in titles)
        assert (await get(play, secret, **{"If-None-Match": etag}))[0] == 304
        play.clock.pass_(hours=2)
        assert (await get(play, secret, **{"If-None-Match": etag}))[0] == 304  # the hour is not in it
        await me.say("agenda annuler E-1 oui")
        status, body, _ = await get(play, secret, **{"If-None-Match": etag})
        assert status == 200
        [cancelled] = [each for each in Calendar.from_ical(body).walk("VEVENT") if each["SUMMARY"] == "CCT plénière"]
        assert str(cancelled["STATUS"]) == "CANCELLED"
        assert str(cancelled["UID"]) == titles["CCT plénière"]
        assert (await get(play, "x" * 32))[0] == 404
        await me.say("agenda abonnement révoquer")
        me.sees("Abonnements révoqués : 1")
        assert (await get(play, secret))[0] == 404


async def test_a_feed_shows_what_its_owner_may_see_at_that_moment(play: Scene, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    from tests.servers.processes import free_port

    own = play.app.settings.http.model_copy(update={"port": free_port()})
    monkeypatch.setattr(play.app, "settings", play.app.settings.model_copy(update={"http": own}))
    me, consul = alone(play), alone(play, "U0CONSUL")
    form = await me.slash("evenement", "", forms=True)
    values = {"titre": "Point interne", "quand": "18 mars 9h", "type": "other", "visibilite": "own", "pour": ""}
    await me.submit(form, **values, lieu="Kehl", note="", liens="")
    await consul.say("agenda abonnement tout")
    [secret] = re.findall(r"/calendar/([\w-]+)\.ics", consul.sees("Votre abonnement").text)
    async with http.serving(play.app):
        assert b"Point interne" not in (await get(play, secret))[1]
        last = play.clock().date() - timedelta(days=1)
        play.app.database.run_now(
            lambda s: setattr(s.scalars(select(Posting).where(Posting.person == "consul-b")).one(), "end", last)
        )
        assert (await get(play, secret))[0] == 404  # who left reads nothing
