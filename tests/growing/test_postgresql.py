"""docs/growing/postgresql.md, done: PostgreSQL as Prefect's database, migrated, used, interrupted and backed up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.prefect_calls import Server
from tests.end_to_end.receiver import wait_for
from tests.growing.postgres import PASSWORD, Postgres, postgres

# Minutes of whole runs, which CI has no time for; `make test-all` runs them.
pytestmark = [pytest.mark.integration, pytest.mark.slow]

_BLOWS, _SECONDS_BETWEEN = 4, 1.0


@dataclass(frozen=True)
class Up:
    """What `headrace up` started, with its database."""

    database: Postgres
    server: Server
    folder: Path
    deployment: str


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def up(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The tables, by the command of the page; then Prefect's server and a worker, by ours."""
    folder = tmp_path_factory.mktemp("postgresql")
    write_project(folder)
    shell = Shell(folder, {"PREFECT_API_DATABASE_CONNECTION_URL": database.url()})
    command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
    done = subprocess.run(command, cwd=ROOT, env=shell.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    process = shell.start("up", "customers.yaml", "--no-serve", "--prefect-port", "0", "--json")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        server = Server(json.loads(line)["prefect"]["api"])
        yield Up(database, server, folder, server.deployment("data-to-deployment/customers")["id"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_run_is_promoted_though_the_database_drops_every_connection(up: Up) -> None:
    run = up.server.start(up.deployment)
    wait_for(lambda: up.server.run(run)["state_type"] == "RUNNING", "the run's beginning")
    ended = []
    for _ in range(_BLOWS):
        ended.append(up.database.end_connections())
        time.sleep(_SECONDS_BETWEEN)
    assert all(ended)
    assert up.server.ended(run)["state_name"] == "Promoted", up.server.log(run)
    assert up.database.ask(f"SELECT state_name FROM flow_run WHERE id = '{run}'") == "Promoted"
    assert not list(up.folder.rglob("prefect.db"))


def test_a_backup_holds_the_runs_and_the_schedules(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "prefect.dump"
    up.database.call("pg_dump", "--format=custom", "--file", str(file), "prefect")
    up.database.administer("CREATE DATABASE restored OWNER prefect")
    up.database.call("pg_restore", "--no-owner", "--exit-on-error", "--dbname", "restored", str(file))
    for statement in ("SELECT count(*) FROM flow_run", "SELECT id, name FROM deployment ORDER BY id"):
        assert up.database.ask(statement, "restored") == up.database.ask(statement)


def test_the_password_is_in_no_file(up: Up) -> None:
    files = [path for path in up.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
