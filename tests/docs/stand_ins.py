"""What pages are given where nothing is trained: a store of small models and runs without data, made in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from serving.bundle.store import ModelStore
from tests.docs.given import GIVEN, QUICK
from tests.docs.page_shell import PageShell
from tests.docs.scene import Shared
from tests.pipelines.runs.homes import add_run, home_of_runs, outcome, summary
from tests.serving.bundles import small_model, write_bundle

_RUNS = {"20261122-191151-09ec164d": "promoted", "20261122-191851-72bd376a": "refused"}


def store_of_five(shell: PageShell, shared: Shared) -> None:
    """Five versions of `flight-delay` that passed their gates, the last one the champion, and two runs."""
    home = shell.folder / ".headrace"
    store = ModelStore(home / "models")
    for number in range(1, 6):
        graph = small_model(float(number))
        store.register("flight-delay", partial(write_bundle, graph=graph, model="flight-delay"))
        gates = json.dumps({"gates": [{"gate": "floor roc_auc", "passed": True}]})
        (store.bundle_path("flight-delay", str(number)) / "measurements.json").write_text(gates)
        store.set_champion("flight-delay", str(number))
    _runs(home, "flights")


def runs_of_customers(shell: PageShell, shared: Shared) -> None:
    _runs(shell.folder / ".headrace", "customers")


def _runs(home: Path, pipeline: str) -> None:
    config = {"name": pipeline, "train": {"seed": 1}}
    reported = next(page.parent for page in home_of_runs(home).rglob("report.html"))
    pages = {page.name: page.read_bytes() for page in reported.glob("report.*")}
    for name, verdict in _RUNS.items():
        documents = {"config": config, "outcome": outcome(verdict), "summary": summary(verdict, "1", {"roc_auc": 0.74})}
        folder = add_run(home, pipeline, name, **documents)
        for page, content in pages.items():
            (folder / page).write_bytes(content)


STAND_INS: Mapping[str, Callable[[PageShell, Shared], None]] = {
    **{word: GIVEN[word] for word in QUICK},
    "flight-delay": store_of_five,
    "customers-runs": runs_of_customers,
}
