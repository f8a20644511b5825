"""Small datasets with and without leaks, split by hand, for the tests of the leakage check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_contracts.contract import LogicalType
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import Manifest, part_name, stored, write_manifest, write_partition
from tasks.data.split import SPLITS, SplitConfig
from tasks.engine import DaskConfig
from tasks.leakage.check import read_leaks, run_leakage
from tasks.leakage.findings import Leaks
from tasks.leakage.plan import LeakageConfig, LeakagePlan, plan_leakage
from tasks.preprocessing.problem import TargetConfig
from tasks.references import DatasetRef, LeakageRef, SplitRef
from tests.tasks.data.tables import contract_of

LOGICAL: Mapping[pa.DataType, LogicalType] = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


def honest_table(seed: int, rows: int = 1500) -> pa.Table:
    """Features of every type that know a little of the target, none too much; `id` is unique, `nulls` is random."""
    random = np.random.default_rng(seed)
    late = random.random(rows) < 0.3
    return pa.table(
        {
            "id": np.arange(rows),
            "late": late,
            "amount": random.normal(late * 0.8, 1.0),
            "minutes": random.integers(0, 1440, rows),
            "code": pa.array([f"c{number:02d}" for number in random.integers(0, 40, rows) + 3 * late]),
            "name": pa.array([f"name {number}" for number in random.permutation(rows)]),
            "day": pa.array(random.integers(15_000, 15_365, rows).astype(np.int32)).cast(pa.date32()),
            "holed": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.2),
        }
    )


def codes_of(rows: int, seed: int = 0) -> np.ndarray:
    """Splits by chance, in the usual shares; uint8 [rows]."""
    return np.random.default_rng([seed, 1]).choice(3, rows, p=(0.7, 0.15, 0.15)).astype(np.uint8)


def stored_table(home: Path, table: pa.Table, codes: np.ndarray, part: int = 400) -> tuple[DatasetRef, SplitRef]:
    """Write a table and its splits as `clean` and `split` would."""
    clean, splits = home / "datasets" / "new", home / "splits" / "s"
    written = []
    for index, first in enumerate(range(0, table.num_rows, part)):
        written.append(write_partition(clean, part_name(index), table.slice(first, part)))
        write_partition(splits, part_name(index, ARROW), pa.table({"split": codes[first : first + part]}))
    manifest = Manifest(
        columns={field.name: str(field.type) for field in table.schema},
        partitions=tuple(each.partition for each in written),
        digests={each.partition.path: each.digest for each in written},
    )
    write_manifest(clean, manifest)
    reference = stored(home, manifest)
    clean.rename(reference.path)
    rows = {name: int((codes == index).sum()) for index, name in enumerate(SPLITS)}
    return reference, SplitRef(path=str(splits), digest="0" * 64, rows=rows)


def plan_of(
    table: pa.Table,
    config: LeakageConfig,
    features: Sequence[str] | None = None,
    split: SplitConfig | None = None,
    classified: tuple[str, ...] = (),
    target: str | tuple[str, ...] = "late",
) -> LeakagePlan:
    """The plan for a table; the features are all columns but `id` and the target."""
    contract = contract_of(
        {field.name: LOGICAL[field.type] for field in table.schema}, key=("id",), classified=classified
    )
    left_out = {"id", *([target] if isinstance(target, str) else target)}
    chosen = features if features is not None else [name for name in table.column_names if name not in left_out]
    return plan_leakage(contract, config, split or SplitConfig(), TargetConfig(target=target), chosen)


def find(
    home: Path, dask: DaskConfig, table: pa.Table, codes: np.ndarray, plan: LeakagePlan
) -> tuple[Leaks, LeakageRef]:  # fmt: skip
    """Run the check over a stored table."""
    clean, split = stored_table(home, table, codes)
    reference = run_leakage(clean, split, plan, home, dask)
    return read_leaks(reference), reference
