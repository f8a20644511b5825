"""The split by `row`, for data without a key."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.data.clean import CleanConfig, DuplicatesConfig
from tasks.data.split import SPLITS, SplitConfig, read_split, run_split, split_columns
from tasks.engine import DaskConfig
from tasks.errors import ConfigError
from tests.tasks.data.tables import clean_dataset, contract_of, write_parquet

CONTRACT = contract_of({"size": "integer", "colour": "string", "kind": "string"})


def test_rows_that_are_equal_but_for_the_target_are_never_in_two_splits(tmp_path: Path) -> None:
    dask = DaskConfig(threads=1)
    rows = [(number % 150, "ab"[number % 2], "xy"[number // 150 % 2]) for number in range(600)]
    table = pa.table(dict(zip(("size", "colour", "kind"), map(list, zip(*rows, strict=True)), strict=True)))
    path = write_parquet(tmp_path / "a.parquet", table, 100)
    keep = CleanConfig(duplicates=DuplicatesConfig(keep="all"))
    clean, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask, keep)
    split = run_split(clean, CONTRACT, SplitConfig(method="row", target="kind"), tmp_path / "home", dask)
    assert sum(split.rows.values()) == 600
    where = defaultdict(set)
    for name in SPLITS:
        for part in read_split(clean, split, name, ["size", "colour"]):
            for row in zip(*part.to_pydict().values(), strict=True):
                where[row].add(name)
    assert len(where) == 150
    assert {len(names) for names in where.values()} == {1}


def test_the_key_and_the_target_decide_nothing() -> None:
    contract = contract_of({"id": "integer", "size": "integer", "kind": "string"}, key=("id",))
    assert split_columns(contract, SplitConfig(method="row", target="kind")) == ["size"]
    with pytest.raises(ConfigError, match="every column but the key and the target"):
        split_columns(contract, SplitConfig(method="row", target=("size", "kind")))
