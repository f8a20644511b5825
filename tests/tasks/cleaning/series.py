"""Small ordered datasets: written as `clean` writes them, cleaned through stretches, and cleaned by pandas at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data_contracts.contract import Column, Contract
from tasks.cleaning.config import OrderedColumn, OrderedConfig
from tasks.data.accounting import ACCOUNTING, RowAccounting
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.references import DatasetRef
from tasks.storage import digest_file, new_folder, write_json

CONTRACT = Contract(
    name="sensors",
    version="1",
    path="sensors.odcs.yaml",
    digest="0" * 64,
    columns=(
        Column(name="at", logical_type="timestamp", required=True, line=3),
        Column(name="sensor", logical_type="string"),
        Column(name="row", logical_type="integer", required=True),
        Column(name="temp", logical_type="number"),
        Column(name="load", logical_type="number"),
        Column(name="state", logical_type="string"),
        Column(name="label", logical_type="boolean"),
        Column(name="secret", logical_type="string", line=9, privacy={"action": "drop"}),
    ),
)


def some_rows(rows: int, sensors: int, seed: int, *, missing: float = 0.4, moments: int = 0) -> pa.Table:
    """Readings of some sensors, each at a moment of its own or at one of so many, in no order."""
    random = np.random.default_rng(seed)

    def lacking(values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=random.random(rows) < missing)

    hours = random.integers(0, moments, rows) if moments else random.permutation(3 * rows)[:rows]
    return pa.table(
        {
            "at": pa.array(hours * 3_600_000_000).cast(pa.timestamp("us", tz="UTC")),
            "sensor": pa.array(
                [f"s{each}" if each else None for each in random.integers(0, sensors, rows)], pa.string()
            ),
            "row": pa.array(np.arange(rows)),
            "temp": lacking(random.normal(20, 5, rows)),
            "load": lacking(random.normal(0, 1, rows)),
            "state": lacking(np.array(["on", "off", "worn"])[random.integers(0, 3, rows)]),
        }
    )


def write_clean(table: pa.Table, cuts: list[int], home: Path) -> DatasetRef:
    """Write a table as a clean dataset whose partitions end at these rows."""
    with new_folder(home / DATASETS, manifest_digest) as folder:
        written = [
            write_partition(folder, part_name(index, ARROW), table.slice(start, stop - start))
            for index, (start, stop) in enumerate(pairwise([0, *cuts, table.num_rows]))
            if stop > start
        ]
        accounting = RowAccounting(rows_in=table.num_rows, kept=table.num_rows, quarantined={}, duplicates=0)
        write_json(folder / ACCOUNTING, accounting.model_dump(mode="json"))
        manifest = Manifest(
            columns={field.name: str(field.type) for field in table.schema},
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written}
            | {ACCOUNTING: digest_file(folder / ACCOUNTING)},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def read_back(dataset: DatasetRef) -> pa.Table:
    return pa.concat_tables(
        [read_partition(dataset.folder, each) for each in read_manifest(dataset).partitions]
    ).combine_chunks()


def by_pandas(table: pa.Table, config: OrderedConfig) -> dict[int, dict[str, Any]]:
    """Clean the whole table at once; the rows by their number."""
    frame = table.to_pandas().sort_values([str(config.by), "row"], kind="stable")
    groups = frame.groupby(list(config.group), dropna=False, sort=False) if config.group else [((), frame)]
    done = []
    for _, each in groups:
        group = each.copy()
        for name, column in config.columns.items():
            group[name] = _cleaned(group[name], group[str(config.by)], column)
        done.append(group)
    whole = pd.concat(done).dropna(subset=list(config.drop_nulls))
    return {row["row"]: {name: row[name] for name in config.columns} for row in whole.to_dict("records")}


def _cleaned(values: pd.Series, order: pd.Series, column: OrderedColumn) -> pd.Series:
    if column.fill in {"ffill", "bfill"}:
        values = getattr(values, column.fill)(limit=column.limit)
    elif column.fill is not None:
        scale = order.astype("int64").to_numpy() if column.fill == "time" else np.arange(len(values))
        placed = pd.Series(values.to_numpy(), index=scale)
        filled = placed.interpolate(method="index", limit=column.limit, limit_area="inside")
        values = pd.Series(filled.to_numpy(), index=values.index)
    if column.smooth is not None:
        rolled = getattr(values.rolling(column.smooth.window, min_periods=1), column.smooth.method)()
        values = rolled.where(values.notna())
    return values
