"""Datasets that ship in Python packages, from the raw file to an answering endpoint without an edit.

Those of scikit-learn are always there; those of palmerpenguins, ISLP, vega_datasets and statsmodels where the package
is installed.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.init.datasets import DATASETS, Known, NotInstalledError, write_raw
from pipelines.check import check_pipeline
from pipelines.starting.request import Request
from pipelines.starting.start import start
from tasks.engine import DaskConfig
from tests.end_to_end.conftest import ROOT, Shell

pytestmark = pytest.mark.integration

# The others take minutes; `make test-all` runs them.
AT_ONCE = ("iris",)

LINT = ROOT / ".venv-contracts" / "bin" / "datacontract"


def _written(known: Known, folder: Path) -> Path:
    try:
        return write_raw(known, folder)
    except NotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def promoted() -> dict[str, str]:
    """Names of the models that reached the store, by dataset."""
    return {}


@pytest.mark.parametrize(
    "known",
    [pytest.param(each, id=each.name, marks=() if each.name in AT_ONCE else pytest.mark.slow) for each in DATASETS],
)
def test_a_raw_file_becomes_a_model_or_is_refused_with_its_reason(
    known: Known, shell: Shell, promoted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.folder)
    path = _written(known, shell.folder)
    started = start(Request(path.name, (known.target,)), DaskConfig(threads=1))
    assert started.facts["problem"] == known.problem
    config = started.files[-1]
    assert not [note for note in check_pipeline(config).notes if "error" in note]
    done = shell.run("run", str(config), "--json")
    assert done.returncode in {0, 3}, done.stderr
    if done.returncode == 0:
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["status"] == "promoted"
        promoted[known.name] = said["model"]
    else:
        assert "floor" in done.stderr


def _endpoint(shell: Shell) -> Iterator[str]:
    server = shell.start("serve", "--port", "0")
    try:
        assert server.stdout is not None
        found = re.search(r"http://(\S+)", server.stdout.readline())
        assert found is not None
        yield found.group(1)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def test_every_promoted_model_answers_its_own_example(shell: Shell, promoted: dict[str, str]) -> None:
    assert promoted, "no dataset reached the store"
    for address in _endpoint(shell):
        for model in promoted.values():
            card = httpx.get(f"http://{address}/v1/models/{model}").json()
            body = {"records": [card["example"]]}
            answer = httpx.post(f"http://{address}/v1/models/{model}:predict", json=body)
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["predictions"]) == 1


@pytest.mark.skipif(not LINT.exists(), reason="datacontract-cli is not there: `make contracts` installs it")
@pytest.mark.parametrize(
    "known",
    [pytest.param(each, id=each.name, marks=() if each.name in AT_ONCE else pytest.mark.slow) for each in DATASETS],
)
def test_the_contract_passes_the_linter_of_the_standard(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = start(Request(_written(known, tmp_path).name, (known.target,)), DaskConfig(threads=1))
    done = subprocess.run([LINT, "lint", str(started.files[0])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
