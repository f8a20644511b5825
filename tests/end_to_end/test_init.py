"""Datasets that ship in Python packages, from the raw file to an answering endpoint without an edit.

Those of scikit-learn are always there; those of palmerpenguins, ISLP, vega_datasets and statsmodels where the package
is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from sklearn import datasets

from pipelines.check import check_pipeline
from pipelines.starting.request import Request
from pipelines.starting.start import start
from tasks.engine import DaskConfig
from tests.end_to_end.conftest import Shell

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Known:
    """A dataset: where it is found, what is predicted, and what `init` must take that for."""

    package: str
    file: str
    target: str
    problem: str

    @property
    def name(self) -> str:
        return Path(self.file).stem.lower().replace("-", "_")


DATASETS = (
    Known("sklearn", "datasets/data/iris.csv", "column_5", "multiclass"),
    Known("sklearn", "datasets/data/breast_cancer.csv", "column_31", "binary"),
    Known("sklearn", "load_diabetes", "target", "regression"),
    Known("sklearn", "load_wine", "target", "multiclass"),
    Known("palmerpenguins", "data/penguins.csv", "species", "multiclass"),
    Known("ISLP", "data/Default.csv", "default", "binary"),
    Known("ISLP", "data/Carseats.csv", "Sales", "regression"),
    Known("ISLP", "data/OJ.csv", "Purchase", "binary"),
    Known("vega_datasets", "_data/seattle-weather.csv", "weather", "multiclass"),
    Known("statsmodels", "datasets/fair/fair.csv", "affairs", "regression"),
)

# The others take minutes; `make test-all` runs them.
AT_ONCE = ("iris", "load_diabetes")


def _written(known: Known, folder: Path) -> Path:
    """Write the dataset's raw file into a folder, as its package has it."""
    spec = find_spec(known.package)
    if spec is None or spec.origin is None:
        pytest.skip(f"the package {known.package} is not installed")
    path = folder / f"{known.name}.csv"
    if known.file.startswith("load_"):
        getattr(datasets, known.file)(as_frame=True).frame.to_csv(path, index=False)
        return path
    shutil.copyfile(Path(spec.origin).parent / known.file, path)
    if known.package == "sklearn":
        # The first row of these files counts rows and columns and names the classes, which is no header.
        path.write_text(path.read_text().partition("\n")[2])
    return path


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
