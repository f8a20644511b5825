"""What Headrace wrote, in the words of the reference job: one check judges every engine. Arguments: OUT SHOWN."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.data import job
from tasks.data.partitions import Partition, read_manifest, read_partition
from tasks.preprocessing.constants import FIRST_CODE, CategoricalFeature, Preprocessing
from tasks.references import DatasetRef

_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_REASONS = {"sched_ts": "bad_ts", "carrier": "bad_carrier", "origin": "bad_origin", "distance": "bad_distance"}
_PARTS = {"month": "sched_ts_month", "dow": "sched_ts_day_of_week", "hour": "sched_ts_hour"}


def main(out: str, shown: str) -> None:
    made = json.loads(Path(out, "made.json").read_bytes())
    constants = Preprocessing.model_validate_json(Path(made["preprocessing"], "preprocessing.json").read_bytes())
    for split in _SPLITS.values():
        Path(shown, f"split={split}").mkdir(parents=True, exist_ok=True)
    _show_features(made["features"], constants, Path(shown))
    _show_quarantine(Path(made["validation"], "quarantine"), Path(shown, "quarantine"))
    Path(shown, "stats.json").write_text(json.dumps(_stats(constants)))


def _show_features(features: str, constants: Preprocessing, shown: Path) -> None:
    dataset = DatasetRef(path=features, digest="", rows=0)
    for index, partition in enumerate(read_manifest(dataset).partitions):
        table = _renamed(read_partition(Path(features), partition), constants)
        pq.write_table(table, shown / f"split={_split(partition)}" / f"part-{index:05d}.parquet")


def _split(partition: Partition) -> str:
    assert partition.split is not None
    return _SPLITS[partition.split]


def _renamed(table: pa.Table, constants: Preprocessing) -> pa.Table:
    categories = {feature.name: feature for feature in constants.categorical}
    columns: dict[str, Any] = {name: table[name] for name in ("event_id", "flight", "n_imputed", "n_clipped")}
    columns["ts"] = table["sched_ts"].cast(pa.timestamp("us"))
    columns |= {name: table[name] for name in job.NUMBERS}
    for name, feature in _PARTS.items():
        columns[name] = _values(table[feature], categories[feature])
    for name in job.CATEGORIES:
        columns[name] = _position(table, "email" if name == "email_domain" else name)
    return pa.table(columns)


def _position(table: pa.Table, name: str) -> np.ndarray:
    """Return the place of each category in its vocabulary, -1 for unseen; the target's classes are one too."""
    if name not in table.column_names:
        return table["target"].to_numpy()
    return np.maximum(table[name].to_numpy().astype(np.int64) - FIRST_CODE, -1)


def _values(codes: pa.ChunkedArray, feature: CategoricalFeature) -> np.ndarray:
    return np.asarray([int(value) for value in feature.vocabulary])[codes.to_numpy().astype(np.int64) - FIRST_CODE]


def _show_quarantine(quarantine: Path, shown: Path) -> None:
    shown.mkdir(exist_ok=True)
    rules = pa.concat_tables([pq.read_table(path, columns=["rule_id"]) for path in sorted(quarantine.iterdir())])
    columns = pc.list_element(pc.split_pattern(rules["rule_id"], ".", max_splits=1), 0)
    reasons = [_REASONS[column] for column in columns.to_pylist()]
    pq.write_table(pa.table({"reason": reasons}), shown / "reasons.parquet")


def _stats(constants: Preprocessing) -> dict[str, Any]:
    numeric = [feature for feature in constants.numeric if feature.column in job.NUMBERS]
    named = {"median": "fill", "lo": "lower", "hi": "upper", "mean": "center", "std": "spread"}
    return {name: {feature.name: getattr(feature, field) for feature in numeric} for name, field in named.items()}


if __name__ == "__main__":
    main(*sys.argv[1:3])
