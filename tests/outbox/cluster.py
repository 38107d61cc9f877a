"""A real PostgreSQL, started for the tests in a folder of its own and gone with them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

import psycopg

from outbox.store import open_store

#: Nothing here must outlive a power cut, and the disk is slow: except where a test is about just that.
HASTY = "-c fsync=off -c full_page_writes=off"


@dataclass
class Cluster:
    """A server that listens on a socket in its folder."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        """The address of one of its databases, as the outbox takes it."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def make_database(self, template: str = "template1") -> str:
        """Return the address of a new database, a copy of `template`."""
        name = f"outbox{next(self.numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def make_template(self, now: datetime) -> None:
        """Keep an outbox without people, so that each test copies it instead of making it anew."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty_outbox")
        open_store(self.url("empty_outbox"), now).close()


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextmanager
def running_cluster(*, options: str = HASTY) -> Iterator[Cluster]:
    """Start a server and stop it; as root it runs as the user `postgres`, since it refuses to be root."""
    programs = find_programs()
    assert programs
    folder = Path(tempfile.mkdtemp(prefix="outbox-postgresql-"))
    data = folder / "data"
    try:
        if not os.geteuid():
            shutil.chown(folder, "postgres")
        _run(programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        sockets = f"-c listen_addresses= -c unix_socket_directories={folder} -c autovacuum=off"
        _run(
            programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"{sockets} {options}", "start"
        )
        try:
            yield Cluster(folder)
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*words: object) -> None:
    user = None if os.geteuid() else pwd.getpwnam("postgres").pw_uid
    done = subprocess.run(
        [str(word) for word in words], user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
