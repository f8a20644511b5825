"""Homes with runs in them, as the flow leaves them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.report.report import run_report
from tasks.storage import write_atomic, write_json
from tests.tasks.report.example import plain_inputs

OLD, REFUSED, BROKEN, KILLED = (
    "20260101-080000-aaaa1111",
    "20260102-080000-bbbb2222",
    "20260103-080000-cccc3333",
    "20260103-090000-dddd4444",
)


def add_run(home: Path, pipeline: str, run: str, **documents: Any) -> Path:
    """Write a run's folder, with a JSON document for each name."""
    folder = home / "runs" / pipeline / run
    for name, content in documents.items():
        write_json(folder / f"{name}.json", content)
    return folder


def outcome(verdict: str, **changes: Any) -> dict[str, Any]:
    """Return what the flow keeps of a run's end."""
    return {"verdict": verdict, "seconds": 12.5, "partition": None, "error": None, "message": None, **changes}


def summary(status: str, version: str, metrics: dict[str, float]) -> dict[str, Any]:
    """Return the part of a summary that is read."""
    return {"status": status, "model": "delay", "version": version, "partition": None, "metrics": metrics}


@cache
def _report() -> dict[str, bytes]:
    """Return a report's two files; drawing them takes a second."""
    with TemporaryDirectory() as folder:
        page = run_report(plain_inputs(), Path(folder) / "report.html")
        return {each.name: each.read_bytes() for each in page.parent.iterdir()}


def home_of_runs(home: Path) -> Path:
    """Return a home with a promoted run from before there were outcomes, a refused, a broken and a killed one."""
    config = {"name": "flights", "train": {"seed": 1, "model": {"name": "mlp"}}}
    add_run(
        home,
        "flights",
        OLD,
        config=config,
        summary=summary("promoted", "1", {"log_loss": 0.5, "roc_auc": 0.74}),
        references={"raw": {"rows": 10, "digest": "aa" * 32}, "clean": {"rows": 9, "digest": "bb" * 32}},
    )
    folder = add_run(
        home,
        "flights",
        REFUSED,
        config={**config, "train": {"seed": 2, "model": {"name": "mlp"}, "rounds": 3}},
        outcome=outcome("refused", partition="2026-01", error="GateRefusedError", message="not promoted"),
        summary=summary("refused", "2", {"roc_auc": 0.7512, "log_loss": 0.4721}) | {"headline": "roc_auc"},
    )
    for name, content in _report().items():
        write_atomic(folder / name, content)
    broken = outcome("contract broken", error="ContractBrokenError", message="too many rows\n  do: look")
    add_run(home, "flights", BROKEN, config=config, outcome=broken)
    add_run(home, "houses", KILLED, config={"name": "houses"})
    return home
