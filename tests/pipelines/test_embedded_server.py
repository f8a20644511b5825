"""The server beside a run lives no longer than the run's process, and is started only where none is configured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]

STARTS = """
import sys
from pipelines import environment

environment.prepare()
from pipelines.embedded_server import start_embedded_server

server = start_embedded_server()
if server is None:
    sys.exit("none is needed")
server.wait_until_ready()
print(server.url, flush=True)
sys.stdin.read()
"""


def start(folder: Path, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
    own = {"HEADRACE_HOME": str(folder / "home"), "PREFECT_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", STARTS], env=kept | own | variables, text=True, **pipes)


def is_away(url: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health", trust_env=False)
        except httpx.HTTPError:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.integration
def test_it_answers_and_ends_with_the_process_even_a_killed_one(tmp_path: Path) -> None:
    run = start(tmp_path)
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    assert httpx.get(f"{url}/health", trust_env=False).json() is True
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert is_away(url)

    run = start(tmp_path)
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    _, err = run.communicate("")
    assert (run.returncode, err) == (0, "")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{url}/health", trust_env=False)


@pytest.mark.integration
def test_what_keeps_it_from_starting_is_said(tmp_path: Path) -> None:
    nowhere = f"sqlite+aiosqlite:///{tmp_path}/nowhere/prefect.db"
    _, err = start(tmp_path, PREFECT_API_DATABASE_CONNECTION_URL=nowhere).communicate()
    assert "Prefect's embedded server does not answer" in err
    assert "unable to open database file" in err
    assert "\n  do: " in err


@pytest.mark.integration
def test_none_is_started_beside_a_configured_one(tmp_path: Path) -> None:
    _, err = start(tmp_path, PREFECT_API_URL="http://127.0.0.1:9/api").communicate()
    assert err.strip() == "none is needed"


@pytest.mark.integration
def test_what_only_fresh_work_needs_is_not_imported_with_the_flow(tmp_path: Path) -> None:
    heavy = {"pytorch_lightning", "sklearn", "great_expectations", "lightgbm", "optuna", "captum", "distributed"}
    program = f"import pipelines.flow, sys; print(sorted({heavy!r} & set(sys.modules)))"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = kept | {"PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]", found.stderr
