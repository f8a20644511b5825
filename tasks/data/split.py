"""Splits: which rows are for training, which for validation and which are held out for the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_contracts.contract import Column, Contract
from data_contracts.privacy import hidden_columns, is_hidden
from tasks.data.accounting import WITHOUT_TARGET
from tasks.data.arrow_files import ARROW
from tasks.data.assignment import (
    PORTABLE_BUCKETS,
    Assigner,
    assign_by_hash,
    assign_by_portable_hash,
    assign_by_time,
    instants_of,
    time_cuts,
)
from tasks.data.partitions import Partition, part_name, read_manifest, read_partition, write_partition
from tasks.data.schema import known_column
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import ConfigError, DataError
from tasks.preprocessing.targets import TargetNames, raw_columns
from tasks.references import DatasetRef, SplitRef
from tasks.storage import DigestName, new_folder

SPLITS = ("train", "validation", "test")
NO_SPLIT = 255

Method = Literal["key", "row", "group", "time"]


class SplitConfig(BaseModel):
    """How rows are split.

    Attributes:
        method: `key` hashes the contract's primary key; `row` hashes every column but the key and the target, for data
            without a key: rows that are equal in all of them stay together; `group` hashes `column` so that rows which
            share its value stay together; `time` puts the latest rows into the test split and those before them into
            validation.
        column: The column of `group` and `time`.
        target: The column or columns to predict; a row without one of them belongs to no split.
        train: Share of the rows (hash: of the keys or groups) for training.
        validation: Share for validation.
        test: Share for the test.
        hash: What `key`, `row` and `group` hash with: `mixed` takes values of any type and a salt; `portable` is
            `((key * 2246822507) mod 2^32) div 65536 mod 100` of one integer column, which any SQL engine can repeat.
        salt: Changes which rows the mixed hash picks.
        cuts: For `time`, the two instants (ISO 8601) at which validation and test begin, in place of the shares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "key"
    column: str | None = None
    target: TargetNames | None = None
    train: float = Field(default=0.7, gt=0, lt=1)
    validation: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.15, gt=0, lt=1)
    hash: Literal["mixed", "portable"] = "mixed"
    salt: str = ""
    cuts: tuple[str, str] | None = None

    @model_validator(mode="after")
    def _agree(self) -> SplitConfig:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError(
                f"train, validation and test must add up to 1, got {self.train + self.validation + self.test}"
            )
        if self.method in {"group", "time"} and self.column is None:
            raise ValueError(f"method `{self.method}` needs `column`")
        if self.hash == "portable":
            self._require_portable()
        if self.cuts is not None and self.method != "time":
            raise ValueError(f"`cuts` belongs to method `time`, not to `{self.method}`")
        return self

    def _require_portable(self) -> None:
        if self.method == "time":
            raise ValueError("`hash` belongs to the methods `key` and `group`, not to `time`")
        if self.salt:
            raise ValueError("`hash: portable` has no `salt`; leave it out, or take `hash: mixed`")
        hundredths = [share * PORTABLE_BUCKETS for share in self.shares]
        if any(abs(share - round(share)) > 1e-9 for share in hundredths):
            raise ValueError(f"`hash: portable` has {PORTABLE_BUCKETS} buckets: give shares in whole hundredths")

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns without whose values a row belongs to no split."""
        return () if self.target is None else raw_columns(self.target)

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares in the order of `SPLITS`."""
        return self.train, self.validation, self.test


def run_split(clean: DatasetRef, contract: Contract, config: SplitConfig, home: Path, dask: DaskConfig) -> SplitRef:
    """Give every row of a clean dataset its split: one uint8 for each row, a file for each partition.

    By key and by group a row's split depends on its own values alone, so it never moves when data is added.

    Raises:
        ConfigError: The config names a column that the contract lacks, or the contract has no primary key to hash.
        DataError: A split comes out empty.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    columns = split_columns(contract, config)
    partitions = read_manifest(clean).partitions
    named = DigestName()
    with new_folder(home / "splits", named) as folder, open_client(dask) as client:
        assigner: Assigner = partial(assign_by_hash, shares=config.shares, salt=config.salt)
        if config.hash == "portable":
            assigner = partial(assign_by_portable_hash, shares=config.shares)
        if config.method == "time":
            cuts = time_cuts(client, clean, columns[0], config.shares, config.cuts)
            assigner = partial(assign_by_time, cuts=cuts)
        work = partial(
            _split_partition, clean=clean, columns=columns, assigner=assigner, targets=config.targets, folder=folder
        )
        counts = np.sum(map_partitions(client, work, list(enumerate(partitions)), label="split"), axis=0)
        rows = {name: int(count) for name, count in zip((*SPLITS, WITHOUT_TARGET), counts, strict=True)}
        _require_rows(rows, config)
    return SplitRef(path=str(home / "splits" / named.digest), digest=named.digest, rows=rows)


def split_columns(contract: Contract, config: SplitConfig) -> list[str]:
    """Return the columns whose values decide a row's split.

    Raises:
        ConfigError: The config names a column that the contract lacks, drops for privacy, or that has not the type
            that the method needs, or there is no key, or `cuts` are no two instants in order.
    """
    for name in config.targets:
        _require_visible("split.target", known_column("split.target", name, contract), contract)
    columns = _deciding_columns(contract, config)
    for column in columns:
        _require_visible("split.method" if config.column is None else "split.column", column, contract)
    if config.hash == "portable" and [column.logical_type for column in columns] != ["integer"]:
        kinds = ", ".join(f"`{column.name}` ({column.logical_type})" for column in columns)
        raise ConfigError(
            f"split.hash: `portable` hashes one column of integers, and this split goes by {kinds}\n"
            "  do: take `hash: mixed`, or split by another column"
        )
    return [column.name for column in columns]


def _deciding_columns(contract: Contract, config: SplitConfig) -> list[Column]:
    if config.method == "row":
        return _described_by(contract, config)
    if config.method != "key":
        assert config.column is not None, "the config's validator has seen to it"
        column = known_column("split.column", config.column, contract)
        if config.method == "time" and column.logical_type not in {"date", "timestamp"}:
            raise ConfigError(
                f"split.column: `{column.name}` is of type {column.logical_type}; `method: time` needs instants\n"
                "  do: name a column of time, or take `method: group`"
            )
        if config.cuts is not None:
            instants_of(config.cuts)
        return [column]
    keys = [column for column in contract.columns if column.primary_key_position is not None]
    if not keys:
        raise ConfigError(
            f"split.method: `key` hashes the primary key, and contract {contract.path} has none\n"
            "  do: mark the key with `primaryKey: true`, or split by `row`, `group` or `time`"
        )
    return sorted(keys, key=lambda column: column.primary_key_position or 0)


def _described_by(contract: Contract, config: SplitConfig) -> list[Column]:
    """Return the columns that say what a row is: neither its key nor what is predicted of it."""
    out = {*config.targets, *hidden_columns(contract)}
    columns = [each for each in contract.columns if each.primary_key_position is None and each.name not in out]
    if not columns:
        raise ConfigError(
            "split.method: `row` hashes every column but the key and the target, and contract "
            f"{contract.path} has no other\n  do: split by `key`, `group` or `time`"
        )
    return columns


def _require_visible(place: str, column: Column, contract: Contract) -> None:
    if is_hidden(column):
        raise ConfigError(
            f"{place}: contract {contract.path} drops `{column.name}` for privacy, so nothing can be split by it\n"
            "  do: split by another column"
        )


def _require_rows(rows: dict[str, int], config: SplitConfig) -> None:
    empty = [name for name in SPLITS if not rows[name]]
    if empty:
        raise DataError(
            f"split: no row falls into {' and '.join(empty)} (rows: {rows}, method `{config.method}`)\n"
            "  do: give more data, other shares or another `salt`; by group there must be many more groups than splits"
        )


def _split_partition(
    numbered: tuple[int, Partition],
    *,
    clean: DatasetRef,
    columns: Sequence[str],
    assigner: Assigner,
    targets: Sequence[str],
    folder: Path,
) -> NDArray[np.int64]:
    """Write one partition's splits; returns the rows of each split and of none, int64 [4]."""
    index, partition = numbered
    table = read_partition(clean.folder, partition, list(dict.fromkeys([*columns, *targets])))
    codes = assigner([table[name] for name in columns])
    for name in targets:
        codes[table[name].is_null(nan_is_null=True).to_numpy()] = NO_SPLIT
    write_partition(folder, part_name(index, ARROW), pa.table({"split": codes}))
    counts = np.bincount(codes, minlength=NO_SPLIT + 1)
    return counts[[*range(len(SPLITS)), NO_SPLIT]]


def read_codes(split: SplitRef, index: int) -> NDArray[np.uint8]:
    """Return the split of each row of the partition at a position: its place in `SPLITS`, or `NO_SPLIT`; uint8 [N]."""
    table = read_partition(split.folder, Partition(path=part_name(index, ARROW), row_group=0, rows=0))
    return np.asarray(table["split"].to_numpy())


def read_split_partition(
    numbered: tuple[int, Partition],
    clean: DatasetRef,
    split: SplitRef,
    name: str,
    columns: Sequence[str],
    *,
    dictionaries: bool = False,
) -> pa.Table:
    """Read the rows that one partition has in a split, in row order; `dictionaries` as for `read_partition`."""
    index, partition = numbered
    wanted = read_codes(split, index) == SPLITS.index(name)
    return read_partition(clean.folder, partition, columns, wanted=wanted, dictionaries=dictionaries)


def read_split(clean: DatasetRef, split: SplitRef, name: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of a split, in row order, a table for each partition that has any.

    Args:
        clean: The dataset that was split.
        split: Its split.
        name: `train`, `validation` or `test`.
        columns: The columns to read, in this order.
    """
    for numbered in enumerate(read_manifest(clean).partitions):
        table = read_split_partition(numbered, clean, split, name, columns)
        if table.num_rows:
            yield table
