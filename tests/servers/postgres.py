"""A real PostgreSQL for tests: binaries from PyPI, a throwaway cluster on loopback, a fresh database per test.

PostgreSQL refuses to run as root; then it runs as `nobody`, and its files lie where that user can reach them.
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from tests.servers import postgres_files, processes

_SUPERUSER = "postgres"
# A throwaway cluster need not survive a power cut: a commit waits for no disk. What was committed outlives `kill()`,
# because it has reached the operating system (`synchronous_commit` stays on).
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # Inside the cluster: nothing stays in the system when it is killed.
    "listen_addresses": processes.LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "scram_iterations": "1",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "60s",
    "timezone": "UTC",
}


class Postgres:
    """One cluster, owned by one test process (with pytest-xdist: one per worker, nothing is shared).

    Without `directory` it lies in a temporary one and is removed at the end. A given directory is kept; run as root,
    it must be reachable for `nobody`, which pytest's own temporary directories are not.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._thrown_away = directory is None
        self.directory = directory or postgres_files.temporary_directory(postgres_files.fastest_place())
        self.log = self.directory / "postgres.log"
        self._copies: Path | None = None
        self.port = processes.free_port()
        self._data = self.directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._run_as = postgres_files.nobody() if processes.is_root() else None
        self._made = 0

    @property
    def url(self) -> str:
        """The maintenance database; tests take theirs from `create_database`."""
        return self._url(_SUPERUSER)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._thrown_away:
            await self.kill()
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            await self.stop()
        if self._copies:
            shutil.rmtree(self._copies, ignore_errors=True)

    async def start(self) -> None:
        """Start, or start again on the same port with the same data; return when it takes connections."""
        binaries = self._prepare()
        self._process = processes.spawn(
            [binaries / "postgres", "-D", self._data, "-p", str(self.port)],
            log=self.log,
            cwd=self.directory,
            run_as=self._run_as,
        )
        await processes.wait_ready(self._process, self._takes_connections, log=self.log)

    async def stop(self) -> None:
        """End it politely: open connections are broken, what was committed is kept."""
        await self._end(signal.SIGINT)

    async def kill(self) -> None:
        """End it as a crash would (its children too): the next start has to recover."""
        await self._end(signal.SIGQUIT)

    async def restart(self) -> None:
        """Stop and start: connections break, databases and addresses stay."""
        await self.stop()
        await self.start()

    def create_database(self, template: str = "template1") -> str:
        """The url of a new database, empty or a copy of `template` (20 ms in memory, 100 and more on a disk)."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self._create(name, template)
        return self._url(name)

    def make_template(self, build: Callable[[str], None], *, name: str = "migrated") -> str:
        """Run `build(url)` once on an empty database, for `create_database(template=...)`; return its name.

        `build` must close its connections: a database in use cannot be copied.
        """
        self._create(name, "template1")
        build(self._url(name))
        return name

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_database(url)))
            )

    def kill_connections(self, url: str) -> int:
        """Break every connection to a database, as a failing network would; return how many."""
        with self._connect() as connection:
            killed = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [_database(url)]
            ).fetchone()
        return int(killed[0]) if killed else 0

    def _create(self, name: str, template: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)

    def _takes_connections(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    async def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            await processes.stop(self._process, by=by)
            self._process = None

    def _url(self, database: str) -> str:
        password = (self.directory / "password").read_text()
        return f"postgresql+psycopg://{_SUPERUSER}:{password}@{processes.LOOPBACK}:{self.port}/{database}"

    def _prepare(self) -> Path:
        """Make the cluster if there is none; return the directory of the binaries."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._run_as:
            os.chown(self.directory, self._run_as.uid, self._run_as.gid)
        binaries = self._reachable_binaries()
        if not (self._data / "PG_VERSION").exists():
            self._init_cluster(binaries)
        return binaries

    def _init_cluster(self, binaries: Path) -> None:
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        if self._run_as:
            os.chown(password, self._run_as.uid, self._run_as.gid)
        # Plain passwords over loopback cost nothing and still keep other local users out of the cluster.
        arguments = ["-D", self._data, "-U", _SUPERUSER, "--auth=password", "--pwfile", password, "--no-sync"]
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        made = self._run([binaries / "initdb", *arguments, "--encoding=UTF8", "--locale=C.UTF-8", *settings])
        if made.returncode != 0:
            msg = f"initdb ended with {made.returncode}: {made.stdout}"
            raise RuntimeError(msg)

    def _reachable_binaries(self) -> Path:
        """The installed binaries, or a copy where our user may not walk to them (an environment under /root)."""
        installed = postgres_files.BINARIES
        if not self._run_as or self._may_run(installed):
            return installed
        if self._copies is None:
            # Not beside the data: memory is often mounted so that nothing can be executed from it.
            self._copies = postgres_files.temporary_directory()
            postgres_files.copy_installation(self._copies)
        return self._copies / installed.relative_to(postgres_files.SITE)

    def _may_run(self, binaries: Path) -> bool:
        try:
            return self._run([binaries / "postgres", "--version"]).returncode == 0
        except PermissionError:
            return False

    def _run(self, argv: list[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in argv],
            cwd=self.directory,
            user=self._run_as.uid if self._run_as else None,
            group=self._run_as.gid if self._run_as else None,
            extra_groups=[] if self._run_as else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def _database(url: str) -> str:
    return url.rpartition("/")[2]
