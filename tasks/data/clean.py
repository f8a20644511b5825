"""Clean: the rows that keep the contract, typed, each once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Contract
from tasks.data.accounting import ACCOUNTING, BROKEN_CSV_ROW, RowAccounting
from tasks.data.arrow_files import adopt
from tasks.data.partitions import (
    DATASETS,
    DROPPED,
    Manifest,
    Partition,
    manifest_digest,
    read_manifest,
    stored,
    write_manifest,
    write_partition,
)
from tasks.data.typed_rows import ROWS, read_rows_manifest
from tasks.data.verdicts import BETWEEN, FIRST, LAST, NO_RULE, Copies, Rules, count_rules, read_verdicts, rule_ids
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.references import DatasetRef, ValidationRef
from tasks.storage import digest_file, new_folder, write_json

_FOLDER = "dropped"


class DuplicatesConfig(BaseModel):
    """What becomes of rows that are equal in every column of the contract.

    Attributes:
        keep: Which of them stays: the first, the last, none, or all, where equal rows are different events.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: Literal["first", "last", "none", "all"] = "first"


class CleanConfig(BaseModel):
    """What is cleaned.

    Attributes:
        duplicates: Rows that are equal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duplicates: DuplicatesConfig = DuplicatesConfig()


@dataclass(frozen=True)
class _Cleaned:
    """What became of one partition's rows; `partition` is None where none is left."""

    partition: Partition | None
    digests: dict[str, str]
    quarantined: dict[str, int]
    duplicates: int


_SUPERFLUOUS = {"first": (BETWEEN, LAST), "last": (FIRST, BETWEEN), "none": (FIRST, BETWEEN, LAST), "all": ()}


def superfluous(rules: Rules, copies: Copies, config: DuplicatesConfig) -> NDArray[np.bool_]:
    """Return which rows are dropped as duplicates, bool [N]; a row in quarantine is none.

    Args:
        rules: int16 [N], `NO_RULE` for rows that are not quarantined.
        copies: uint8 [N], what each row is among its equals.
        config: Which of them stays.
    """
    return np.asarray(np.isin(copies, _SUPERFLUOUS[config.keep]) & (rules == NO_RULE))


def run_clean(
    raw: DatasetRef, validation: ValidationRef, contract: Contract, config: CleanConfig, home: Path, dask: DaskConfig
) -> DatasetRef:
    """Make a dataset of the rows that keep the contract, in the contract's types, with `accounting.json` beside them.

    The rows stay in the files that validation wrote; beside each stands which of its rows do not belong.

    Raises:
        DataError: No row is left.
        IntegrityError: The row accounting does not reconcile, or the validated rows are gone.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    source, typed = read_manifest(raw), read_rows_manifest(validation)
    with new_folder(home / DATASETS, manifest_digest) as folder:
        work = partial(
            _clean_partition, validation=validation, typed=typed, contract=contract, config=config, folder=folder
        )
        with open_client(dask) as client:
            cleaned = map_partitions(client, work, list(range(len(typed.partitions))), label="clean")
        partitions = tuple(each.partition for each in cleaned if each.partition is not None)
        if not partitions:
            raise _nothing_left(raw, validation, contract, sum(each.duplicates for each in cleaned))
        accounting = _account(cleaned, contract, raw.rows, source.broken_rows)
        write_json(folder / ACCOUNTING, accounting.model_dump(mode="json"))
        manifest = Manifest(
            columns=typed.columns,
            partitions=partitions,
            digests={path: digest for each in cleaned for path, digest in each.digests.items()}
            | {ACCOUNTING: digest_file(folder / ACCOUNTING)},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _nothing_left(raw: DatasetRef, validation: ValidationRef, contract: Contract, duplicates: int) -> DataError:
    dropped = f" but for {duplicates} that were dropped as duplicates" if duplicates else ""
    return DataError(
        f"contract {contract.name}: no row is left: all {raw.rows} are in quarantine{dropped}\n"
        f"  do: look at the quarantine in {validation.path}, then mend the data or the contract"
        + ("; or keep one of equal rows with `clean.duplicates.keep`" if duplicates else "")
    )


def _clean_partition(
    index: int, *, validation: ValidationRef, typed: Manifest, contract: Contract, config: CleanConfig, folder: Path
) -> _Cleaned:
    rows = typed.partitions[index]
    rules, copies = read_verdicts(validation.folder, index)
    duplicates = superfluous(rules, copies, config.duplicates)
    out = np.flatnonzero(duplicates | (rules != NO_RULE)).astype(np.int32)
    counted = count_rules(rules, rule_ids(contract)), int(duplicates.sum())
    if len(out) == rows.rows:
        return _Cleaned(None, {}, *counted)
    adopt(validation.folder / ROWS / rows.path, folder / rows.path)
    digests = {rows.path: typed.digests[rows.path]}
    kept = rows.model_copy(update={"rows": rows.rows - len(out)})
    if len(out):
        dropped = write_partition(folder, f"{_FOLDER}/{rows.path}", pa.table({DROPPED: out}))
        digests[dropped.partition.path] = dropped.digest
        kept = kept.model_copy(update={"dropped": dropped.partition.path})
    return _Cleaned(kept, digests, *counted)


def _account(cleaned: list[_Cleaned], contract: Contract, rows: int, broken_csv_rows: int) -> RowAccounting:
    quarantined: Counter[str] = Counter()
    for each in cleaned:
        quarantined.update(each.quarantined)
    if broken_csv_rows:
        quarantined[BROKEN_CSV_ROW] = broken_csv_rows
    return RowAccounting(
        rows_in=rows + broken_csv_rows,
        kept=sum(each.partition.rows for each in cleaned if each.partition is not None),
        quarantined=dict(sorted(quarantined.items())),
        duplicates=sum(each.duplicates for each in cleaned),
        broken_csv_rows=broken_csv_rows,
        key_conflicts=sum(quarantined[rule.id] for rule in contract.key_rules),
    ).reconciled()
