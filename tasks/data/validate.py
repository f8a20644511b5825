"""Validate: hold every row and the whole of a raw dataset against its contract, and keep the rows in its types."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from data_contracts.custom import custom_counts, look_again, own_results
from data_contracts.judge import judge, judge_expectations
from data_contracts.measure import measure_partition
from data_contracts.measurements import Measurements, merge
from data_contracts.parsing import ParsedTable, parse_table
from data_contracts.row_rules import broken_rules
from tasks.data.accounting import BROKEN_CSV_ROW
from tasks.data.candidates import LOOKS, REPEATED, Candidates, Columns, look_for_candidates, narrowest
from tasks.data.comparison import Comparison, compare
from tasks.data.duplicates import DUPLICATE, FOUND, HASHES, HashWriter, Key, bucket_count, keys_of
from tasks.data.outcomes import COUNTS, MEASUREMENTS, OUTCOMES, ValidateConfig, ValidationCounts, require_kept
from tasks.data.partitions import Manifest, WrittenPartition, part_name, read_manifest, read_partition
from tasks.data.quarantine import RawPartition, raw_partitions, write_broken_rows, write_quarantine
from tasks.data.sources import require_unchanged
from tasks.data.typed_rows import digested_files, write_rows, write_rows_manifest
from tasks.data.verdicts import ALONE, BY_ROW, NO_RULE, Rules, count_rules, rule_ids, write_verdicts
from tasks.engine import Client, DaskConfig, merge_partitions, open_client
from tasks.references import DatasetRef, ValidationRef
from tasks.storage import DigestName, new_folder, remove_folder, write_json

__all__ = ["ValidateConfig", "require_kept", "run_validate"]

_PASSING = (LOOKS, REPEATED, HASHES, FOUND, BY_ROW)


@dataclass(frozen=True)
class _Found:
    """What was found in some partitions; duplicates are known only after all were compared."""

    measurements: Measurements
    quarantined: Counter[str]
    written: tuple[WrittenPartition, ...]

    def merge(self, later: _Found) -> _Found:
        return _Found(
            merge(self.measurements, later.measurements),
            self.quarantined + later.quarantined,
            self.written + later.written,
        )


@dataclass(frozen=True)
class _Work:
    """What every partition's work needs to know."""

    raw: DatasetRef
    contract: Contract
    folder: Path
    candidates: Candidates
    hashes: HashWriter

    def read(self, partition: RawPartition, columns: Sequence[str] | None = None) -> pa.Table:
        names = [column.name for column in self.contract.columns if columns is None or column.name in columns]
        return read_partition(self.raw.folder, partition.partition, names, dictionaries=True)

    def candidates_of(self, parsed: pa.Table) -> list[NDArray[np.int64]]:
        found = {columns: self.candidates.of(columns, parsed) for columns in self.candidates.rows}
        return [found[_told_apart_by(key, self.contract)] for key in self.hashes.keys]


def run_validate(
    raw: DatasetRef, contract: Contract, config: ValidateConfig, home: Path, dask: DaskConfig
) -> ValidationRef:
    """Hold every row against the row rules, and the whole against key, table and custom rules.

    Writes a verdict for every row, the quarantine with rule ids, the rows in the contract's types, `outcomes.json`
    (every rule, judged), `measurements.json` (what they were judged by) and `counts.json`. Broken data does not
    raise: see `require_kept`.

    Raises:
        DataError: A source file changed since it was ingested.
        SchemaMismatchError: A column's Arrow type cannot hold the contract's type.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    manifest = read_manifest(raw)
    # The typed rows are large, and were digested as they were written.
    named = DigestName(digested_files)
    with new_folder(home / "validations", named) as folder, open_client(dask) as client:
        work = _prepare(client, raw, manifest, contract, config, folder)
        partitions = raw_partitions(manifest)
        validate = partial(_validate_partition, work=work)
        found = merge_partitions(client, validate, partitions, _Found.merge, label="validate")
        compared = compare(client, work.hashes, partitions, contract, partial(_quarantine_conflicts, work=work))
        counts = _count(raw, manifest, found, compared)
        write_broken_rows(folder, raw.folder, manifest)
        write_rows_manifest(folder, found.written, contract)
        write_json(folder / COUNTS, counts.model_dump(mode="json"))
        measured = look_again(contract, found.measurements, partial(_read_again, work, partitions))
        require_unchanged(manifest.stamps)
        _judge(folder, contract, measured, compared)
        for passing in _PASSING:
            remove_folder(folder / passing)
    out = sum(counts.quarantined.values())
    path = str(home / "validations" / named.digest)
    return ValidationRef(path=path, digest=named.digest, rows=counts.rows, kept=counts.rows - out, quarantined=out)


def _told_apart_by(key: Key, contract: Contract) -> Columns:
    """Return the columns by which candidates for a key are found."""
    return narrowest(contract) if key.conflict == DUPLICATE else key.columns


def _prepare(
    client: Client, raw: DatasetRef, manifest: Manifest, contract: Contract, config: ValidateConfig, folder: Path
) -> _Work:
    """Look which rows have to be compared, so that the pass over all columns has to hash only those."""
    keys = keys_of(contract, config.same_key)
    sets = list(dict.fromkeys(_told_apart_by(key, contract) for key in keys))
    candidates = look_for_candidates(client, raw, manifest.partitions, contract, sets, folder)
    most = max(raw.rows if rows is None else rows for rows in candidates.rows.values())
    return _Work(raw, contract, folder, candidates, HashWriter(folder, keys, bucket_count(most)))


def _count(raw: DatasetRef, manifest: Manifest, found: _Found, compared: Comparison) -> ValidationCounts:
    broken = {BROKEN_CSV_ROW: manifest.broken_rows} if manifest.broken_rows else {}
    return ValidationCounts(
        rows=raw.rows + manifest.broken_rows,
        quarantined=dict(sorted({**broken, **(found.quarantined + compared.conflicts)}.items())),
        duplicates=compared.duplicates,
    )


def _judge(folder: Path, contract: Contract, measurements: Measurements, compared: Comparison) -> None:
    """Judge every rule by what was measured, and write both."""
    outcomes = judge(contract, measurements, compared.beyond_first)
    outcomes = (*outcomes, *judge_expectations(contract, {"results": own_results(contract, measurements)}))
    write_json(folder / OUTCOMES, [outcome.model_dump(mode="json") for outcome in outcomes])
    # Pydantic writes infinite sums as words; JSON has none for them.
    measured = json.loads(measurements.model_dump_json())
    keys = {"beyond_first": dict(compared.beyond_first), "sharing": dict(compared.sharing)}
    write_json(folder / MEASUREMENTS, {"measurements": measured, **keys})


def _validate_partition(partition: RawPartition, *, work: _Work) -> _Found:
    """Parse, check, measure, compare and write one partition; leaves its files in the folder."""
    contract = work.contract
    raw = work.read(partition)
    parsed = parse_table(raw, contract, dictionaries=True)
    broken = broken_rules(parsed, contract)
    alone = np.full(raw.num_rows, ALONE, dtype=np.uint8)
    write_verdicts(work.folder, partition.index, broken.first, alone, place=BY_ROW)
    work.hashes.write(partition.index, parsed.table, broken.first == NO_RULE, work.candidates_of(parsed.table))
    _quarantine(work, partition, "rows", raw, broken.first)
    measured = measure_partition(parsed, broken, contract, custom_counts(parsed, contract))
    written = write_rows(work.folder, partition.index, parsed.table, contract)
    return _Found(measured, Counter(count_rules(broken.first, rule_ids(contract))), (written,))


def _quarantine(work: _Work, partition: RawPartition, what: str, raw: pa.Table, rules: Rules) -> None:
    if (rules != NO_RULE).any():
        place = (partition.source_file, partition.source_rows(work.raw.folder))
        write_quarantine(
            work.folder, f"{what}-{part_name(partition.index)}", raw, rules, rule_ids(work.contract), place
        )


def _quarantine_conflicts(partition: RawPartition, rules: Rules, *, work: _Work) -> None:
    _quarantine(work, partition, "keys", work.read(partition), rules)


def _read_again(work: _Work, partitions: Sequence[RawPartition], columns: Sequence[str]) -> Iterator[ParsedTable]:
    for partition in partitions:
        yield parse_table(work.read(partition, columns), work.contract, columns)
