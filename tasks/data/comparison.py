"""Comparing rows across all partitions, and entering into the verdicts what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from data_contracts.contract import Contract
from tasks.data.duplicates import DUPLICATE, BucketReport, HashWriter, buckets_of, read_found, search_bucket
from tasks.data.quarantine import RawPartition
from tasks.data.verdicts import BETWEEN, BY_ROW, NO_RULE, Rules, count_rules, read_verdicts, rule_ids, write_verdicts
from tasks.engine import Client, map_partitions

Quarantine = Callable[[RawPartition, Rules], None]


@dataclass(frozen=True)
class Comparison:
    """What comparing all rows came to.

    Attributes:
        beyond_first: Rows beyond the first of each key, by rule id.
        sharing: Rows that share their key with another, by rule id.
        duplicates: Rows that equal an earlier one and are not quarantined.
        conflicts: Rows newly quarantined for a key, by rule id.
    """

    beyond_first: Mapping[str, int]
    sharing: Mapping[str, int]
    duplicates: int
    conflicts: Counter[str]


def compare(
    client: Client,
    hashes: HashWriter,
    partitions: Sequence[RawPartition],
    contract: Contract,
    quarantine: Quarantine,
) -> Comparison:
    """Find duplicates and key conflicts by the hashes that every partition left, and complete the verdicts.

    Args:
        client: Who does the work.
        hashes: What left the hashes.
        partitions: Of the raw dataset.
        contract: The rules.
        quarantine: Called with a partition and its rows' rules, those that are newly quarantined.
    """
    search = partial(search_bucket, folder=hashes.folder, partitions=len(partitions))
    buckets = buckets_of(hashes.keys, hashes.buckets)
    reports: list[BucketReport] = map_partitions(client, search, buckets, label="validate: duplicates")
    beyond_first, sharing = Counter[str](), Counter[str]()
    for report in reports:
        beyond_first.update(dict.fromkeys(report.key.ids, report.beyond_first))
        sharing.update(dict.fromkeys(report.key.ids, report.sharing))
    found_in = frozenset[int]().union(*(report.partitions for report in reports))
    complete = partial(_complete, hashes=hashes, found_in=found_in, contract=contract, quarantine=quarantine)
    completed = map_partitions(client, complete, partitions, label="validate: verdicts")
    conflicts: Counter[str] = Counter()
    for _, found in completed:
        conflicts.update(found)
    duplicates = sum(found for found, _ in completed)
    return Comparison(dict(beyond_first), dict(sharing), duplicates, conflicts)


def _complete(
    partition: RawPartition,
    *,
    hashes: HashWriter,
    found_in: frozenset[int],
    contract: Contract,
    quarantine: Quarantine,
) -> tuple[int, dict[str, int]]:
    """Enter duplicates and key conflicts into one partition's verdicts; a conflict outweighs being a duplicate."""
    folder: Path = hashes.folder
    rules, copies = read_verdicts(folder, partition.index, place=BY_ROW)
    conflicts = np.full(len(rules), NO_RULE, dtype=np.int16)
    for number, key in enumerate(hashes.keys):
        if key.conflict is None or partition.index not in found_in:
            continue
        positions, among = read_found(partition.index, number, hashes.buckets, folder)
        if key.conflict == DUPLICATE:
            copies[positions] = among
        else:
            # The first key rule that a row breaks is the one it is quarantined for.
            conflicts[positions[conflicts[positions] == NO_RULE]] = key.conflict
    rules = np.where(rules == NO_RULE, conflicts, rules)
    write_verdicts(folder, partition.index, rules, copies)
    if (conflicts != NO_RULE).any():
        quarantine(partition, conflicts)
    return int(((copies >= BETWEEN) & (rules == NO_RULE)).sum()), count_rules(conflicts, rule_ids(contract))
