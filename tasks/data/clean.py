"""Clean: the rows that keep the contract, typed, each once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Contract
from data_contracts.parsing import ARROW_TYPES, parse_table
from tasks.data.accounting import ACCOUNTING, BROKEN_CSV_ROW, RowAccounting
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    WrittenPartition,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.verdicts import NO_RULE, count_rules, read_verdicts, rule_ids
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.references import DatasetRef, ValidationRef
from tasks.storage import digest_file, new_folder, write_json


class CleanConfig(BaseModel):
    """What is cleaned.

    Attributes:
        drop_duplicates: Drop rows that equal an earlier row in every column of the contract. Turn it off where equal
            rows are different events.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    drop_duplicates: bool = True


@dataclass(frozen=True)
class _Cleaned:
    """What became of one partition's rows; `written` is None where none is left."""

    written: WrittenPartition | None
    quarantined: dict[str, int]
    duplicates: int


def clean(parsed: pa.Table, rules: np.ndarray, duplicates: np.ndarray) -> pa.Table:
    """Return the rows to keep.

    Args:
        parsed: Typed rows.
        rules: int16 [N], `NO_RULE` for rows that are not quarantined.
        duplicates: bool [N], rows to drop.
    """
    return parsed.filter(pa.array((rules == NO_RULE) & ~duplicates))


def run_clean(
    raw: DatasetRef, validation: ValidationRef, contract: Contract, config: CleanConfig, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Write the rows that keep the contract, in the contract's types, with `accounting.json` beside them.

    Raises:
        DataError: No row is left.
        IntegrityError: The row accounting does not reconcile.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    source = read_manifest(raw)
    with new_folder(home / DATASETS, manifest_digest) as folder:
        work = partial(
            _clean_partition, raw=raw, validation=validation, contract=contract, config=config, folder=folder
        )
        with open_client(dask) as client:
            cleaned = map_partitions(client, work, list(enumerate(source.partitions)), label="clean")
        written = [each.written for each in cleaned if each.written is not None]
        if not written:
            raise DataError(
                f"contract {contract.name}: no row is left: all {raw.rows} are in quarantine\n"
                f"  do: look at the quarantine in {validation.path}, then mend the data or the contract"
            )
        accounting = _account(cleaned, contract, raw.rows, source.broken_rows)
        write_json(folder / ACCOUNTING, accounting.model_dump(mode="json"))
        manifest = Manifest(
            columns={column.name: str(ARROW_TYPES[column.logical_type]) for column in contract.columns},
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written}
            | {ACCOUNTING: digest_file(folder / ACCOUNTING)},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _clean_partition(
    numbered: tuple[int, Partition],
    *,
    raw: DatasetRef,
    validation: ValidationRef,
    contract: Contract,
    config: CleanConfig,
    folder: Path,
) -> _Cleaned:
    index, partition = numbered
    table = read_partition(Path(raw.path), partition, [column.name for column in contract.columns])
    rules, duplicates = read_verdicts(Path(validation.path), index)
    if not config.drop_duplicates:
        duplicates = np.zeros_like(duplicates)
    kept = clean(parse_table(table, contract).table, rules, duplicates)
    written = write_partition(folder, part_name(index), kept) if kept.num_rows else None
    dropped = int((duplicates & (rules == NO_RULE)).sum())
    return _Cleaned(written, count_rules(rules, rule_ids(contract)), dropped)


def _account(cleaned: list[_Cleaned], contract: Contract, rows: int, broken_csv_rows: int) -> RowAccounting:
    quarantined: Counter[str] = Counter()
    for each in cleaned:
        quarantined.update(each.quarantined)
    if broken_csv_rows:
        quarantined[BROKEN_CSV_ROW] = broken_csv_rows
    return RowAccounting(
        rows_in=rows + broken_csv_rows,
        kept=sum(each.written.partition.rows for each in cleaned if each.written is not None),
        quarantined=dict(sorted(quarantined.items())),
        duplicates=sum(each.duplicates for each in cleaned),
        broken_csv_rows=broken_csv_rows,
        key_conflicts=sum(quarantined[rule.id] for rule in contract.key_rules),
    ).reconciled()
