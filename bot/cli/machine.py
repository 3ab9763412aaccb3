"""What can be found out about the machine before it hurts: zones, disk, who may read what is secret."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.alerts import FREE
from config.settings import PREFIX, Settings

Line = tuple[bool, str, str]
ZONES = ("Europe/Paris", "America/Cayenne", "Pacific/Noumea", "Indian/Reunion")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def look(settings: Settings, config: Path | None = None) -> Iterable[Line]:
    """Return a line for each thing: whether it is right, what it is, how it is or what to do."""
    yield _zones((settings.timezone, *ZONES))
    yield from _disk(settings)
    yield from _secrets(settings, config)
    yield _alerts(settings)
    key = "set" if settings.backup is not None else "not set: `passerelle backup` needs it, or --key-file"
    yield True, "backup", f"backup.key is {key}"


def _alerts(settings: Settings) -> Line:
    """Tell whether anybody is told what is wrong: a platform that is off says nothing."""
    platform, _, room = settings.operator.alerts.partition(":")
    if not platform:
        return True, "alerts", "operator.alerts is not set: what is wrong stands in the log alone"
    off = getattr(settings, platform, None) is None
    if off:
        return (
            False,
            "alerts",
            f"nobody is told what is wrong: {platform} of operator.alerts is not configured",
        )
    return True, "alerts", f"told in {platform}:{room}"


def _zones(names: Iterable[str]) -> Line:
    for name in names:
        try:
            ZoneInfo(name)
        except ZoneInfoNotFoundError:
            return False, "zones", f"{name} is unknown: install the package tzdata"
    return True, "zones", "known"


def _disk(settings: Settings) -> Iterable[Line]:
    places = {settings.data_dir}
    with contextlib.suppress(ArgumentError):  # which is told where the database is tried
        url = make_url(settings.database_url)
        places |= {Path(url.database).parent} if url.drivername == "sqlite" and url.database else set()
    for place in sorted(places):
        there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
        free = shutil.disk_usage(there).free
        ok = free >= FREE and os.access(there, os.W_OK)
        what = "" if ok else ": make room" if free < FREE else ": it cannot be written; see its owner and permissions"
        yield ok, f"disk of {place}", f"{free / 1e9:.1f} GB free{what}"


def _secrets(settings: Settings, config: Path | None) -> Iterable[Line]:
    named = config or os.environ.get(f"{PREFIX}CONFIG", "passerelle.toml")
    keys = settings.data_dir / "matrix"
    for place in (Path(named), keys, *(keys.glob("*") if keys.is_dir() else ())):
        if place.exists() and stat.S_IMODE(place.stat().st_mode) & _OTHERS:
            yield False, "secrets", f"{place} can be read by others: chmod {'700' if place.is_dir() else '600'} {place}"
            return
    yield True, "secrets", "nobody else can read them"
