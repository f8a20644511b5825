"""What a page's folder has before its first command: what a fresh clone has, with little data and short trainings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.samples.flights import write_flights
from serving.bundle.manifest import MANIFEST
from serving.bundle.read import digest_of_document, read_manifest
from serving.bundle.store import ModelStore
from tests.docs.blocks import ROOT
from tests.end_to_end.customers import write_project

_ONE_OF = 32
# The shipped configs' own words, and shorter work in their place. No gate of a real model holds for it.
_SHORTER = {
    "flights.yaml": (
        ("hidden: [256]", "hidden: [32]"),
        ("steps_per_round: 100", "steps_per_round: 20"),
        ("rounds: 12", "rounds: 2"),
        ("floor: {roc_auc: 0.745}", "floor: {roc_auc: 0.5}"),
        ("evaluate: {groups: date}", "evaluate: {groups: date, bootstrap: 20}\nexplain: null"),
    ),
    "fashion_mnist.yaml": (
        ("channels: [32, 64, 128]", "channels: [8, 16]"),
        ("steps_per_round: 210", "steps_per_round: 2"),
        ("rounds: 14", "rounds: 1"),
        ("floor: {accuracy: 0.925}", "floor: {accuracy: 0}"),
    ),
}


@dataclass(frozen=True)
class Shared:
    """What several pages are given, made once: homes in which a model was trained.

    Attributes:
        folder: Holds all of it.
    """

    folder: Path

    @cached_property
    def flights(self) -> Path:
        """One flight of every 32, a file a month."""
        write_flights(self.folder / "all")
        cut = self.folder / "flights"
        cut.mkdir()
        for path in sorted((self.folder / "all").iterdir()):
            table = pq.read_table(path)
            kept = pc.equal(pc.bit_wise_and(table["flight_id"], _ONE_OF - 1), 0)
            pq.write_table(table.filter(kept), cut / path.name)
        return cut

    @cached_property
    def flight_home(self) -> Path:
        """A home with a run of the flights, and five versions of its model: all passed their gates."""
        page = self.folder / "flight-page"
        lay(page, self)
        self._headrace(page, 0, "run", "pipelines/configs/flights.yaml")
        rename_runs(page / ".headrace" / "runs" / "flights", ["20261122-191151-09ec164d"])
        store = ModelStore(page / ".headrace" / "models")
        for number in (2, 3, 4, 5):
            store.register("flight-delay", partial(_again, store.bundle_path("flight-delay", "1"), number))
            store.set_champion("flight-delay", str(number))
        return page

    @cached_property
    def customers_home(self) -> Path:
        """A project with three runs: promoted, refused, broken off by its data."""
        page = self.folder / "customers-page"
        lay(page, self)
        write_project(page)
        self._headrace(page, 0, "run", "customers.yaml")
        self._headrace(page, 3, "run", "customers.yaml", "--set", "promote.gates.floor.roc_auc=0.99")
        self._headrace(page, 4, "run", "customers.yaml", "--set", "validate.max_quarantined=0")
        names = ["20261122-191151-09ec164d", "20261122-191851-72bd376a", "20261122-191958-2de905aa"]
        rename_runs(page / ".headrace" / "runs" / "customers", names)
        return page

    def _headrace(self, page: Path, code: int, *arguments: str) -> None:
        left_out = ("PREFECT_", "HEADRACE_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        environment = {**kept, "PREFECT_HOME": str(page / ".prefect")}
        command = [sys.executable, "-m", "pipelines", *arguments]
        done = subprocess.run(command, cwd=page, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{arguments}\n{done.stdout}{done.stderr}"


def lay(page: Path, shared: Shared) -> None:
    """Fill a page's folder."""
    for folder in ("pipelines/configs", "docs/examples"):
        shutil.copytree(ROOT / folder, page / folder)
    (page / "data_contracts").mkdir()
    for contract in (ROOT / "data_contracts").glob("*.odcs.yaml"):
        shutil.copy(contract, page / "data_contracts")
    for name in ("prefect.yaml", "constraints.txt"):
        shutil.copy(ROOT / name, page)
    for name in _SHORTER:
        (page / "pipelines/configs" / name).write_text(shortened(name))
    (page / "data").mkdir()
    (page / "data" / "flights").symlink_to(shared.flights)


def shortened(name: str) -> str:
    """Return a shipped config that trains for a moment."""
    text = (ROOT / "pipelines/configs" / name).read_text()
    for long, short in _SHORTER[name]:
        assert text.count(long) == 1, f"{name} no longer says {long}; mend {__name__}"
        text = text.replace(long, short)
    return text


def take(page: Path, home: Path) -> None:
    """Give a page a copy of a home and of Prefect's database."""
    for folder in (".headrace", ".prefect"):
        shutil.copytree(home / folder, page / folder, dirs_exist_ok=True, symlinks=True)


def rename_runs(folder: Path, names: list[str]) -> None:
    """Give the runs of a pipeline the names that pages call them by, the oldest first."""
    runs = sorted(run for run in folder.iterdir() if not run.name.startswith("."))
    assert len(runs) == len(names)
    for run, name in zip(runs, names, strict=True):
        run.rename(folder / name)


def _again(bundle: Path, number: int, folder: Path) -> None:
    """Fill a folder with a bundle that answers as another one does, and has a digest of its own."""
    shutil.copytree(bundle, folder, dirs_exist_ok=True)
    manifest = read_manifest(bundle)
    again = manifest.model_copy(update={"digest": "", "proofs": {**manifest.proofs, "copy": number}})
    again = again.model_copy(update={"digest": digest_of_document(again.model_dump(mode="json"))})
    (folder / MANIFEST).write_text(again.model_dump_json())
