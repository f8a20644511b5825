"""Verdicts: for every row of a raw dataset the rule that it is quarantined for, and whether it is a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from tasks.data.partitions import Partition, part_name, read_partition, write_partition

VERDICTS = "verdicts"
NO_RULE = -1

Rules = NDArray[np.int16]


def rule_ids(contract: Contract) -> tuple[str, ...]:
    """Return the rules that a row can be quarantined for; a verdict's `rule` is a position in them, or `NO_RULE`."""
    return tuple(rule.id for rule in contract.row_rules) + tuple(rule.id for rule in contract.key_rules)


def write_verdicts(folder: Path, index: int, rules: Rules, duplicates: NDArray[np.bool_]) -> None:
    """Write the verdicts of the raw partition at a position, in row order.

    Args:
        folder: The validation's folder.
        index: The partition's position in the raw dataset.
        rules: int16 [N], positions in `rule_ids`, or `NO_RULE`.
        duplicates: bool [N], whether the row equals an earlier one.
    """
    table = pa.table({"rule": pa.array(rules, pa.int16()), "duplicate": pa.array(duplicates, pa.bool_())})
    write_partition(folder, f"{VERDICTS}/{part_name(index)}", table)


def read_verdicts(folder: Path, index: int) -> tuple[Rules, NDArray[np.bool_]]:
    """Read the verdicts of the raw partition at a position: `rules` and `duplicates` as they were written."""
    table = read_partition(folder, Partition(path=f"{VERDICTS}/{part_name(index)}", row_group=0, rows=0))
    return table["rule"].to_numpy().copy(), table["duplicate"].to_numpy().copy()


def count_rules(rules: Rules, ids: Sequence[str]) -> dict[str, int]:
    """Count rows by the id of the rule that they are quarantined for; rules without a row are left out."""
    counts = np.bincount(rules[rules != NO_RULE], minlength=len(ids))
    return {ids[position]: int(counts[position]) for position in np.flatnonzero(counts).tolist()}
