"""The laws of the house hold, and the checker that says so can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import HEAVY, MOST_FILE_LINES, ROOMS, Source, breaches, imported, sources

ROOT = Path(__file__).parents[1]
# Bytes; the bar for an endpoint before it loads a model.
MOST_SERVING_MEMORY = 150 * 1024**2

_LONG_FUNCTION = "def f():\n" + "    pass\n" * 40
_LONG_DOCSTRING = 'def f():\n    """Say.\n' + "\n" * 50 + '    """\n' + "    pass\n" * 39


def test_every_file_keeps_the_laws() -> None:
    broken = [breach for source in sources(ROOT) for breach in breaches(source)]
    assert not broken, "\n".join(broken)


def test_every_room_is_judged() -> None:
    assert {source.room for source in sources(ROOT)} >= {*ROOMS, "tests"}


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("data_contracts/a.py", "import tasks", "data_contracts imports tasks"),
        ("data_contracts/a.py", "def f():\n    from serving.bundle import manifest", "a.py:2: data_contracts imports"),
        ("serving/a.py", "from data_contracts.contract import Contract", "serving imports data_contracts"),
        ("serving/bundle/a.py", "from ... import tasks", "serving imports tasks"),
        ("tasks/a.py", "from pipelines import config", "tasks imports pipelines.config"),
        ("tasks/a.py", "import serving", "tasks imports serving"),
        ("tasks/a.py", "from serving.server import serve", "tasks imports serving.server"),
        ("tasks/a.py", "import serving.bundles", "tasks imports serving.bundles"),
        ("tasks/a.py", "import importlib\nimportlib.import_module('pipelines.flow')", "a.py:2: tasks imports"),
        ("pipelines/a.py", "from tests.architecture import Source", "pipelines imports tests"),
        ("tasks/a.py", "if TYPE_CHECKING:\n    import prefect", "a.py:2: imports prefect; only pipelines/"),
        ("tasks/a.py", "from prefect.cache_policies import INPUTS", "imports prefect"),
        ("data_contracts/judge.py", "import great_expectations as gx", "imports great_expectations; only"),
        ("pipelines/a.py", "import great_expectations.core", "imports great_expectations"),
        *((f"serving/{name}.py", f"import {name}", f"serving imports {name}") for name in sorted(HEAVY)),
        ("serving/a.py", "def f():\n    from pyarrow.parquet import read_table", "serving imports pyarrow"),
        ("serving/watch/sample_writer.py", "import pyarrow", "serving imports pyarrow"),
        ("serving/watch/sample_files.py", "import pandas", "serving imports pandas"),
        *((f"{room}/a.py", "import pickle", "imports pickle") for room in (*ROOMS, "tests", "benchmarks")),
        ("tasks/a.py", "from joblib import dump", "imports joblib"),
        ("tasks/a.py", "from pickle import UnpicklingError, loads", "imports pickle"),
        ("tasks/a.py", "__import__('cloudpickle')", "imports cloudpickle"),
        ("tasks/a.py", "numpy.load(path, allow_pickle=True)", "allow_pickle"),
        ("tasks/a.py", "import torch\ntorch.load(path)", "a.py:2: torch.load without"),
        ("tasks/a.py", "import torch\ntorch.load(path, weights_only=False)", "torch.load without"),
        ("tasks/a.py", "import torch\ntorch.load(path, weights_only=trust)", "torch.load without"),
        ("tasks/a.py", "import torch as t\nt.load(path)", "torch.load without"),
        ("tasks/a.py", "from torch import load as read\nread(path)", "torch.load without"),
        ("tasks/a.py", "import torch\nread = torch.load", "torch.load without"),
        ("tasks/utils.py", "", "named utils"),
        ("tasks/helpers/a.py", "", "named helpers"),
        ("serving/manager.py", "", "named manager"),
        ("tasks/a.py", "\n" * (MOST_FILE_LINES + 1), "301 lines"),
        ("tasks/a.py", _LONG_FUNCTION, "f has 41 lines"),
        ("tasks/a.py", f"class A:\n    async {_LONG_FUNCTION.replace(chr(10), chr(10) + '    ')}pass", "f has 41"),
        ("tasks/a.py", "def f(a, b, /, c, *d, e, f, **g): ...", "f has 7 parameters"),
    ],
)
def test_a_broken_law_is_found(path: str, text: str, said: str) -> None:
    found = breaches(Source(path, text))
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tasks/a.py", "from serving.bundle.manifest import BundleManifest\nfrom serving import bundle"),
        ("tasks/a.py", "from data_contracts import contract\nfrom . import errors\nimport torch, dask"),
        ("pipelines/a.py", "import prefect, tasks.storage, serving.transports.asgi, data_contracts"),
        ("data_contracts/expectations/own.py", "def f():\n    import great_expectations"),
        ("serving/watch/sample_files.py", "import pyarrow.parquet"),
        ("serving/bundle/a.py", "from ..bundle import manifest\nimport numpy, onnxruntime"),
        ("tests/pipelines/a.py", "import prefect, great_expectations"),
        ("tasks/a.py", "import torch, json\ntorch.load(path, weights_only=True)\njson.load(file)"),
        ("tasks/a.py", "numpy.load(path, allow_pickle=False)"),
        ("tasks/a.py", "from pickle import UnpicklingError"),
        ("tasks/a.py", "\n" * MOST_FILE_LINES),
        ("tasks/a.py", _LONG_DOCSTRING),
        ("tasks/a.py", "@decorate(\n" + "    1,\n" * 50 + ")\ndef f(): ..."),
        ("tasks/a.py", "class A:\n    def f(self, a, b, c, d, e, f): ..."),
        ("tests/a.py", "def test_f(a, b, c, d, e, f, g): ..."),
    ],
)
def test_what_keeps_the_laws_passes(path: str, text: str) -> None:
    assert breaches(Source(path, text)) == []


def test_relative_imports_are_made_absolute() -> None:
    source = Source(
        "tasks/data/clean.py", "from . import split\nfrom ..errors import DataError\nfrom .. import storage"
    )
    assert [name for _, name in imported(source)] == ["tasks.data.split", "tasks.errors.DataError", "tasks.storage"]


def _after(statement: str) -> tuple[set[str], int]:
    """Run a statement in a fresh process; return the heavy libraries it loaded and its resident bytes."""
    code = (
        f"import json, sys\n{statement}\n"
        "loaded = sorted({name.split('.')[0] for name in sys.modules})\n"
        "import psutil\n"
        "print(json.dumps([loaded, psutil.Process().memory_info().rss]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, memory = json.loads(done.stdout.splitlines()[-1])
    return set(loaded) & HEAVY, memory


@pytest.mark.parametrize("module", ["serving.transports.asgi", "serving.__main__"])
def test_the_endpoint_loads_no_heavy_library(module: str) -> None:
    heavy, memory = _after(f"import {module}")
    assert heavy == set()
    assert memory < MOST_SERVING_MEMORY


def test_a_heavy_library_loaded_by_another_is_seen() -> None:
    heavy, _ = _after("import tasks.data.partitions")
    assert "pyarrow" in heavy
