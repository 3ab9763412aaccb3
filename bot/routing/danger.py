"""Danger to life: words that say so by themselves, or an event together with harm or with the moment.

What is past, practised, planned, or only an image is none. Where words leave it open it is danger: numbers too many
cost a minute, none may cost a life.
"""

from bot.routing.concepts import Concepts, Said


def danger(said: Concepts) -> Said | None:
    """Return the words that tell of danger to life, None where there is none."""
    said = said.without("figure")
    if said.said("drill") and not said.without("unreal").mentioned("real"):
        return None
    now = bool(said.said("now"))
    past = bool(said.said("past")) and not now
    subject = _subject(said) and not now
    dying = None if past or _treated(said) else said.said("dying") or _mute(said) or _threatened(said)
    if dying or past or subject:
        return dying
    found = None if _treated(said) else said.said("vital") or _lost(said)
    return found or _event(said, now=now)


def _subject(said: Concepts) -> bool:
    """Whether danger is only spoken of: in a study, a convention, a ceremony; or an activity is about it."""
    if said.said("about", "papers"):
        return True
    activity = said.said("activity")
    event = said.said("loud", "assault", "event", "vital", "boat", "poison")
    return bool(activity and event and activity.start < event.start and not said.said("harmed"))


def _treated(said: Concepts) -> bool:
    """Whether those concerned are in a hospital already."""
    return bool(said.said("medical")) and not said.said("now")


def _mute(said: Concepts) -> Said | None:
    """Somebody who no longer answers; an office that does not is no danger."""
    return (
        None if said.said("consul", "office", "institution") else said.near(("mute",), ("person", "harmed", "event"), 8)
    )


def _threatened(said: Concepts) -> Said | None:
    """Somebody who wants to kill or to die, or who is threatened with a weapon."""
    return (
        said.near(("death_threat",), ("now", "weapon"), 12)
        or said.near(("intent",), ("kill",), 3)
        or said.near(("weapon",), ("threat",), 4)
        or said.near(("weapon",), ("farewell",), 16)
    )


def _lost(said: Concepts) -> Said | None:
    """Somebody stranded where nobody lives long, a vehicle in trouble, poison let out, a fall, a kidnapping."""
    kin = said.said("justice") or (said.said("child") and said.said("parent"))
    return (
        (said.near(("stranded", "unfound"), ("hostile",), 8) if said.said("person", "sport", "boat", "one") else None)
        or said.near(("stranded",), ("sport",), 4)
        or said.near(("boat",), ("sinking",), 4)
        or said.near(("boat",), ("unfound",), 2)
        or said.near(("vehicle",), ("fallen",), 6)
        or (said.near(("fall",), ("height",), 4) if said.said("person") else None)
        or (said.near(("young",), ("unfound",), 6) if said.said("now", "urgent") else None)
        or (None if said.said("unharmed") else said.near(("poison",), ("escaping",), 4))
        or (said.near(("unfound",), ("sport",), 4) if said.said("now", "urgent") else None)
        or (None if kin else said.near(("kidnapped", "struck"), ("person", "sport", "boat"), 4))
    )


def _event(said: Concepts, *, now: bool) -> Said | None:
    """Something that endangers people: loud by itself, or with harm, spreading, under way, somebody caught in it."""
    unharmed = said.said("unharmed") or any(it.denied for it in said.all("harmed"))
    if unharmed and not now:
        return None
    if found := said.said("assault"):
        return found
    loud = said.said("loud")
    if loud and (now or said.said("harmed", "urgent", "unfound", "stranded", "worse")):
        return loud
    event = None if _treated(said) else said.apart(("event",), ("not_event",))
    harmed = any(
        not it.denied and not (event and event.start < it.end and it.start < event.end) for it in said.all("harmed")
    )
    return event if event and (harmed or said.near(("event",), ("worse", "now"), 6)) else None
