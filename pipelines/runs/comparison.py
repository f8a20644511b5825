"""Runs side by side: what was set differently, what the data was, how good the models are, what the gates said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.runs.record import RunRecord
from tasks.metrics.table import METRIC

Sides = dict[str, list[Any]]


def compared(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Set runs side by side.

    Args:
        runs: At least one.

    Returns:
        `runs`, a row for each; and by name a value for each run, None where it has none: `config` (only keys that
        differ, dotted), `data`, `metrics` (`value`, `low`, `high`) and `gates` (`passed`, `measured`, `bound`).
    """
    config = _sides([flat(run.config) for run in runs])
    return {
        "runs": [run.row for run in runs],
        "config": {key: sides for key, sides in sorted(config.items()) if any(each != sides[0] for each in sides)},
        "data": _sides([data_of(run) for run in runs]),
        "metrics": _in_order(_sides([metrics_of_run(run) for run in runs])),
        "gates": _sides([gates_of(run) for run in runs]),
    }


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return a nested mapping's leaves by dotted names; a list is a leaf."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found


def data_of(run: RunRecord) -> dict[str, Any]:
    """Return rows and digests: of the report, or of a run before there were such of its references."""
    accounting, lineage, made = run.told.get("accounting"), run.told.get("lineage", {}), run.references
    found: dict[str, Any] = {}
    if accounting is not None:
        splits = {f"rows {name}": rows for name, rows in accounting["splits"].items()}
        found = {"rows in": accounting["rows_in"], "rows kept": accounting["kept"]} | splits
        found["rows in quarantine"] = sum(accounting["quarantined"].values())
    elif made:
        found = {f"rows {name}": made[name]["rows"] for name in ("raw", "clean") if name in made}
    digests = lineage.get("data") or {name: made[name]["digest"] for name in ("raw", "clean") if name in made}
    found |= {f"{name} digest": digests[name] for name in ("raw", "clean") if name in digests}
    if contract := lineage.get("contract"):
        found |= {f"contract {name}": contract[name] for name in ("version", "digest")}
    return found


def metrics_of_run(run: RunRecord) -> dict[str, dict[str, float | None]]:
    """Return each metric of the test split with the ends of its interval, None where there is none."""
    intervals = run.told.get("evaluated", {}).get("intervals", {})
    found = {}
    for name, value in run.summary.get("metrics", {}).items():
        low, high = intervals.get(name, (None, None))
        found[name] = {"value": value, "low": low, "high": high}
    return found


def gates_of(run: RunRecord) -> dict[str, dict[str, Any]]:
    """Return each gate as it was judged."""
    wanted = ("passed", "comparison", "bound", "measured")
    return {gate["name"]: {key: gate[key] for key in wanted} for gate in run.told.get("gates", ())}


def _sides(each: Sequence[Mapping[str, Any]]) -> Sides:
    names = dict.fromkeys(name for values in each for name in values)
    return {name: [values.get(name) for values in each] for name in names}


def _in_order(metrics: Sides) -> Sides:
    place: Callable[[str], int] = list(METRIC).index
    return {name: metrics[name] for name in sorted((each for each in metrics if each in METRIC), key=place)}
