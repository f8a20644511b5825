"""Validate: hold every row and the whole of a raw dataset against its contract."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from dask.distributed import Client

from data_contracts.contract import Contract
from data_contracts.custom import custom_counts
from data_contracts.judge import judge, judge_expectations
from data_contracts.measure import measure_partition
from data_contracts.measurements import Measurements, merge
from data_contracts.parsing import parse_table
from data_contracts.row_rules import broken_rules
from tasks.data.accounting import BROKEN_CSV_ROW
from tasks.data.duplicates import (
    DUPLICATE,
    FOUND,
    HASHES,
    BucketReport,
    HashWriter,
    bucket_count,
    buckets_of,
    keys_of,
    read_found,
    search_bucket,
)
from tasks.data.outcomes import COUNTS, OUTCOMES, VALIDATION, ValidateConfig, ValidationCounts, require_kept
from tasks.data.partitions import part_name, read_manifest, read_partition
from tasks.data.quarantine import RawPartition, raw_partitions, write_broken_rows, write_quarantine
from tasks.data.verdicts import NO_RULE, Rules, count_rules, read_verdicts, rule_ids, write_verdicts
from tasks.engine import DaskConfig, map_partitions, merge_partitions, open_client
from tasks.references import DatasetRef, ValidationRef
from tasks.storage import digest_folder, new_folder, write_json

__all__ = ["ValidateConfig", "require_kept", "run_validate"]


@dataclass(frozen=True)
class _Found:
    """What was found in some partitions; `duplicates` is known only after the buckets were searched."""

    measurements: Measurements
    quarantined: Counter[str]

    def merge(self, later: _Found) -> _Found:
        return _Found(merge(self.measurements, later.measurements), self.quarantined + later.quarantined)


@dataclass(frozen=True)
class _Work:
    """What every partition's work needs to know."""

    raw: DatasetRef
    contract: Contract
    folder: Path
    hashes: HashWriter

    def read(self, partition: RawPartition) -> pa.Table:
        columns = [column.name for column in self.contract.columns]
        return read_partition(Path(self.raw.path), partition.partition, columns)


def run_validate(
    raw: DatasetRef,
    contract: Contract,
    config: ValidateConfig,  # noqa: ARG001 - thresholds are `require_kept`'s; here so that every task is called alike
    home: Path,
    dask: DaskConfig,
) -> ValidationRef:
    """Hold every row against the row rules, and the whole against key, table and custom rules.

    Writes a verdict for every row, the quarantine with rule ids, `outcomes.json` (every rule, judged), `counts.json`,
    and `validation.json` (a genuine Great Expectations result). Broken data does not raise: see `require_kept`.

    Raises:
        SchemaMismatchError: A column's Arrow type cannot hold the contract's type.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    manifest = read_manifest(raw)
    with new_folder(home / "validations", digest_folder) as folder, open_client(dask) as client:
        work = _Work(raw, contract, folder, HashWriter(folder, keys_of(contract), bucket_count(raw.rows)))
        partitions = raw_partitions(manifest)
        validate = partial(_validate_partition, work=work)
        found = merge_partitions(client, validate, partitions, _Found.merge, label="validate")
        beyond_first, duplicates, conflicts = _compare(client, work, partitions)
        write_broken_rows(folder, Path(raw.path), manifest)
        broken = {BROKEN_CSV_ROW: manifest.broken_rows} if manifest.broken_rows else {}
        counts = ValidationCounts(
            rows=raw.rows + manifest.broken_rows,
            quarantined=dict(sorted({**broken, **(found.quarantined + conflicts)}.items())),
            duplicates=duplicates,
        )
        write_json(folder / COUNTS, counts.model_dump(mode="json"))
        _judge(folder, contract, found.measurements, beyond_first)
        for passing in (HASHES, FOUND):
            shutil.rmtree(folder / passing, ignore_errors=True)
        digest = digest_folder(folder)
    out = sum(counts.quarantined.values())
    path = str(home / "validations" / digest)
    return ValidationRef(path=path, digest=digest, rows=counts.rows, kept=counts.rows - out, quarantined=out)


def _judge(folder: Path, contract: Contract, measurements: Measurements, beyond_first: Mapping[str, int]) -> None:
    """Judge every rule by what was measured, and write `outcomes.json` and `validation.json`."""
    # Great Expectations takes seconds to import, which nothing but this function should have to pay.
    from data_contracts.expectations import validation_result  # noqa: PLC0415

    validation = validation_result(contract, measurements, beyond_first)
    outcomes = (*judge(contract, measurements, beyond_first), *judge_expectations(contract, validation))
    write_json(folder / OUTCOMES, [outcome.model_dump(mode="json") for outcome in outcomes])
    write_json(folder / VALIDATION, validation)


def _validate_partition(partition: RawPartition, *, work: _Work) -> _Found:
    """Check, measure and hash one partition; leaves its verdicts, hashes and quarantined rows in the folder."""
    contract = work.contract
    raw = work.read(partition)
    parsed = parse_table(raw, contract)
    broken = broken_rules(parsed, contract)
    write_verdicts(work.folder, partition.index, broken.first, np.zeros(raw.num_rows, dtype=np.bool_))
    work.hashes.write(partition.index, parsed.table, broken.first == NO_RULE)
    _quarantine(work, partition, "rows", raw, broken.first)
    measured = measure_partition(parsed, broken, contract, custom_counts(parsed, contract))
    return _Found(measured, Counter(count_rules(broken.first, rule_ids(contract))))


def _quarantine(work: _Work, partition: RawPartition, what: str, raw: pa.Table, rules: Rules) -> None:
    if (rules != NO_RULE).any():
        place = (partition.source_file, partition.source_rows(Path(work.raw.path)))
        write_quarantine(
            work.folder, f"{what}-{part_name(partition.index)}", raw, rules, rule_ids(work.contract), place
        )


def _compare(
    client: Client, work: _Work, partitions: Sequence[RawPartition]
) -> tuple[dict[str, int], int, Counter[str]]:
    """Compare rows across all partitions and complete the verdicts.

    Returns:
        Rows beyond the first of each key by rule id, duplicates that are not quarantined, and rows newly quarantined
        for a key by rule id.
    """
    buckets = buckets_of(work.hashes.keys, work.hashes.buckets)
    search = partial(search_bucket, folder=work.folder, partitions=len(partitions))
    reports: list[BucketReport] = map_partitions(client, search, buckets, label="validate: duplicates")
    beyond_first: Counter[str] = Counter()
    for report in reports:
        beyond_first.update(dict.fromkeys(report.key.ids, report.beyond_first))
    found_in = frozenset[int]().union(*(report.partitions for report in reports))
    touched = [partition for partition in partitions if partition.index in found_in]
    completed = map_partitions(client, partial(_complete, work=work), touched, label="validate: verdicts")
    conflicts: Counter[str] = Counter()
    for _, found in completed:
        conflicts.update(found)
    return dict(beyond_first), sum(duplicates for duplicates, _ in completed), conflicts


def _complete(partition: RawPartition, *, work: _Work) -> tuple[int, dict[str, int]]:
    """Enter duplicates and key conflicts into one partition's verdicts; a conflict outweighs being a duplicate."""
    index = partition.index
    rules, duplicates = read_verdicts(work.folder, index)
    conflicts = np.full(len(rules), NO_RULE, dtype=np.int16)
    for number, key in enumerate(work.hashes.keys):
        if key.conflict is None:
            continue
        positions = read_found(index, number, work.hashes.buckets, work.folder)
        if key.conflict == DUPLICATE:
            duplicates[positions] = True
        else:
            # The first key rule that a row breaks is the one it is quarantined for.
            conflicts[positions[conflicts[positions] == NO_RULE]] = key.conflict
    rules = np.where(rules == NO_RULE, conflicts, rules)
    write_verdicts(work.folder, index, rules, duplicates)
    if (conflicts != NO_RULE).any():
        _quarantine(work, partition, "keys", work.read(partition), conflicts)
    return int((duplicates & (rules == NO_RULE)).sum()), count_rules(conflicts, rule_ids(work.contract))
