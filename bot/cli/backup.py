"""`backup`, `restore` and `outbox`: everything that lasts, taken beside a running bot and brought back elsewhere."""

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy.orm import Session

from bot import posts
from bot.backup import restoring, writing
from bot.backup.sealing import Sealer, lines
from bot.cli.parsing import Commands
from bot.clock import system_clock
from bot.db import Database
from bot.errors import ConfigurationError
from bot.jobs import outgoing
from bot.opening import open_database
from config.settings import Settings

_WHAT_NEXT = """\
Nothing is said until `passerelle outbox release`. Start the bot and let it read what was said since, until the numbers
of `passerelle outbox list` stand still; then release. What is found to have been said already is not said again.
The keys are old: on Matrix the bot makes a new device at its first start, for which it needs matrix.password."""


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    backup = commands.add_parser("backup", help="database, keys and seeds in one sealed file, beside a running bot")
    backup.add_argument("file", type=Path, metavar="FILE", help="must not be there yet; - is standard output")
    backup.set_defaults(command=_backup)
    restore = commands.add_parser("restore", help="bring a backup back, into an empty database and data folder")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--check", action="store_true", help="only see that it is whole and that the key opens it")
    restore.set_defaults(command=_restore)
    for command in (backup, restore):
        command.add_argument("--key-file", type=Path, metavar="FILE", help="holds the key, instead of backup.key")
    outbox = commands.add_parser("outbox", help="what waits to be said; after a restore it is held back")
    actions = outbox.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="how much, and since when").set_defaults(command=_list)
    release = actions.add_parser("release", help="let it be said, each message unless it is found to have been")
    release.add_argument("--drop", action="store_true", help="let what waits now never be said")
    release.set_defaults(command=_release)


def _key(settings: Settings, options: argparse.Namespace) -> str:
    if options.key_file is not None:
        return options.key_file.read_text(encoding="utf-8").strip()
    if settings.backup is None:
        raise ConfigurationError("backup.key: missing; set it, or name a file with --key-file")
    return settings.backup.key.get_secret_value()


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    key, now = _key(settings, options), system_clock()
    with closing(open_database(settings.database_url)) as database:
        if str(options.file) == "-":
            with Sealer(sys.stdout.buffer, key) as sealer:
                count = writing.write(sealer, database, _folder(settings), now)
        else:
            count = _write_file(options.file, key, database, settings)
    print(f"ok: {count} rows", file=sys.stderr)
    return 0


def _write_file(file: Path, key: str, database: Database, settings: Settings) -> int:
    """Write beside, and give it its name once it is whole and on disk."""
    if file.exists():
        raise ConfigurationError(f"{file} is there already; expected the name of a new file")
    beside = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
            with Sealer(out, key) as sealer:
                count = writing.write(sealer, database, _folder(settings), system_clock())
            out.flush()
            os.fsync(out.fileno())
        beside.rename(file)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    key = _key(settings, options)
    with options.file.open("rb") as file:
        if options.check:
            held = restoring.verify(lines(file, key))
        else:
            with closing(Database(settings.database_url)) as database:
                held = restoring.restore(lines(file, key), database, _folder(settings), system_clock())
    print(f"ok: the backup of {held.at.isoformat(timespec='minutes')}, {held.rows} rows, {held.files} files of keys")
    if not options.check:
        print(
            "Nothing is said until `passerelle outbox release`. Start the bot, see that it has read what was said since"
        )
        print(
            "(`passerelle check`), then release. Its keys are old: on Matrix it makes a new device, for which it needs"
        )
        print("matrix.password.")
    return 0


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "matrix"


def _list(settings: Settings, _options: argparse.Namespace) -> int:
    with closing(open_database(settings.database_url)) as database:
        closed, rows = database.run_now(lambda s: (outgoing.closed_since(s), outgoing.waiting(s)))
    print("held back since " + closed.isoformat(timespec="minutes") if closed is not None else "nothing is held back")
    for queue, count, since in rows:
        print(f"{queue}: {count} waiting since {since.isoformat(timespec='minutes')}")
    return 0


def _let_out(session: Session, *, drop: bool) -> int:
    posts.forget_drawn(session)  # rewritings may be among what is dropped
    return outgoing.release(session, drop=drop)


def _release(settings: Settings, options: argparse.Namespace) -> int:
    with closing(open_database(settings.database_url)) as database:
        if database.run_now(outgoing.closed_since) is None:
            print("passerelle: nothing is held back", file=sys.stderr)
            return 1
        count = database.run_now(lambda s: _let_out(s, drop=options.drop))
    print(f"ok: {count} {'dropped' if options.drop else 'released'}")
    return 0
