"""A run whose Prefect server dies does its work all the same, and says in one sentence what it could not do."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.end_to_end.chaos.server import Server
from tests.end_to_end.chaos.wholeness import champion_digest
from tests.end_to_end.conftest import Shell, free_port
from tests.end_to_end.customers import write_project


@pytest.mark.integration
@pytest.mark.slow
def test_a_server_that_never_comes_back_costs_only_what_it_would_have_shown(tmp_path: Path) -> None:
    server = Server(tmp_path / "server")
    server.start()
    write_project(tmp_path, rows=2000)
    # By default a call is repeated for a minute.
    shell = Shell(tmp_path, {"PREFECT_API_URL": server.api, "PREFECT_CLIENT_MAX_RETRIES": "1"})
    process = shell.start("run", "customers.yaml", "--json")
    try:
        while not list((tmp_path / "home" / "datasets").glob("[!.]*")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
    finally:
        server.end(signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert err.count("the Prefect server does not answer") == 1, err
    assert "went away and did not come back" in err
    assert "do: start the server again and run the same command" in err
    assert "Traceback" not in err
    assert '"error": "ServerAwayError"' in out
    # The work itself came to its end.
    assert champion_digest(tmp_path / "home", "churn") is not None


@pytest.mark.integration
def test_a_server_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    write_project(tmp_path, rows=200)
    done = Shell(tmp_path, {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}).run("run", "customers.yaml")
    assert done.returncode == 1, done.stderr
    assert "PREFECT_API_URL: no Prefect server answers at http://127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stderr
