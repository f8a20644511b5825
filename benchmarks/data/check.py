"""Hold an engine's output against the truth, and against another engine's output. Arguments: IN OUT [OTHER].

Runs in the peers' environment: it needs DuckDB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.data import job

_PARTS = ("month", "dow", "hour", "n_imputed", "n_clipped")
# Sums of float32 columns may differ by rounding: by so much a row, and by so much in all.
_PER_ROW, _IN_ALL, _SHARE = 1e-7, 0.5, 1e-6

Summary = dict[str, dict[str, float]]


def summarise(out: Path) -> Summary:
    """Return, by split, sums that do not depend on the order of rows; and the quarantined rows by reason."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set enable_progress_bar=false")
    sums = ["count(*) rows", "sum(event_id)::hugeint::double sum_event_id", "sum(epoch(ts))::double sum_ts"]
    sums += [f"sum({name})::double sum_{name}" for name in ("flight", *_PARTS)]
    sums += [f"sum({n}::double) sum_{n}, sum({n}::double*{n}::double) squares_{n}" for n in job.NUMBERS]
    sums += [f"sum({name}::bigint*(event_id%1009))::double sum_{name}" for name in job.CATEGORIES]
    found: Summary = {}
    for split in job.SPLITS:
        cursor = connection.execute(f"select {', '.join(sums)} from read_parquet('{out}/split={split}/**/*.parquet')")
        row = cursor.fetchone()
        assert row is not None
        assert cursor.description is not None
        found[split] = {column[0]: float(value) for column, value in zip(cursor.description, row, strict=True)}
    counts = f"select reason, count(*) from read_parquet('{out}/quarantine/**/*.parquet') group by 1"
    found["quarantine"] = dict(connection.execute(counts).fetchall())
    return found


def against_truth(found: Summary, fitted: dict[str, Any], truth: dict[str, Any]) -> list[str]:
    """Return what disagrees with the generator's truth."""
    splits = [found[split] for split in job.SPLITS]
    rows = [int(each["rows"]) for each in splits]
    said = {
        "quarantine": (found["quarantine"], truth["quarantine"]),
        "rows of the splits": (rows, truth["split"]),
        "sum of event_id": (sum(each["sum_event_id"] for each in splits), float(truth["event_id_sum"])),
        "imputed": (
            sum(each["sum_n_imputed"] for each in splits),
            sum(column["missing"] for column in truth["num"].values()),
        ),
    }
    wrong = [f"{what}: {got} is not {expected}" for what, (got, expected) in said.items() if got != expected]
    for name, column in truth["num"].items():
        if "train_q50" not in column:
            continue
        if abs(fitted["median"][name] - column["train_q50"]) > 1e-9:
            wrong.append(f"median of {name}: {fitted['median'][name]} is not {column['train_q50']}")
        if name in job.FENCED:
            expected = job.fences(column["train_q25"], column["train_q75"])
            got = (fitted["lo"][name], fitted["hi"][name])
            if max(abs(one - other) for one, other in zip(got, expected, strict=True)) > 1e-6:
                wrong.append(f"fences of {name}: {got} are not {expected}")
    return wrong


def against_other(found: Summary, other: Summary) -> list[str]:
    """Return the sums in which two engines disagree by more than rounding."""
    wrong = []
    for split in job.SPLITS:
        for name, expected in other[split].items():
            kind, _, column = name.partition("_")
            allowed = _SHARE * abs(expected)
            if column in job.NUMBERS:
                rows = other[split]["rows"]
                allowed += _SHARE * rows if kind == "squares" else _PER_ROW * rows + _IN_ALL
            if abs(found[split][name] - expected) > (allowed if column in job.NUMBERS else 0):
                wrong.append(f"{split}.{name}: {found[split][name]} is not {expected}")
    return wrong


def main(source: str, out: str, other: str | None = None) -> None:
    truth = json.loads(Path(source, "truth.json").read_bytes())
    found = summarise(Path(out))
    wrong = against_truth(found, json.loads(Path(out, "stats.json").read_bytes()), truth)
    if other is not None:
        wrong += against_other(found, summarise(Path(other)))
    print(json.dumps(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(*sys.argv[1:4])
