"""Verdicts: for every row of a raw dataset the rule that it is quarantined for, and whether it has equals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.contract import Contract
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import Partition, part_name, read_partition, write_partition

VERDICTS = "verdicts"
# Verdicts by row rules alone, which stand apart so that a piece of work that is done twice finds what it found before.
BY_ROW = "verdicts-by-row"
NO_RULE = -1
# What a row is among the rows that equal it in every column.
ALONE, FIRST, BETWEEN, LAST = range(4)

Rules = NDArray[np.int16]
Copies = NDArray[np.uint8]


def rule_ids(contract: Contract) -> tuple[str, ...]:
    """Return the rules that a row can be quarantined for; a verdict's `rule` is a position in them, or `NO_RULE`."""
    return tuple(rule.id for rule in contract.row_rules) + tuple(rule.id for rule in contract.key_rules)


def write_verdicts(folder: Path, index: int, rules: Rules, copies: Copies, *, place: str = VERDICTS) -> None:
    """Write the verdicts of the raw partition at a position; only rows that have one stand in the file.

    Args:
        folder: The validation's folder.
        index: The partition's position in the raw dataset.
        rules: int16 [N], positions in `rule_ids`, or `NO_RULE`.
        copies: uint8 [N], `ALONE`, `FIRST`, `BETWEEN` or `LAST` of the equal rows.
        place: The folder below `folder`.
    """
    rows = np.flatnonzero((rules != NO_RULE) | (copies != ALONE))
    table = pa.table({"row": rows.astype(np.int32), "rule": rules[rows], "copy": copies[rows]})
    table = table.replace_schema_metadata({"rows": str(len(rules))})
    write_partition(folder, f"{place}/{part_name(index, ARROW)}", table)


def read_verdicts(folder: Path, index: int, *, place: str = VERDICTS) -> tuple[Rules, Copies]:
    """Read the verdicts of the raw partition at a position: `rules` and `copies` as they were given, [N] each."""
    partition = Partition(path=f"{place}/{part_name(index, ARROW)}", row_group=0, rows=0)
    table = read_partition(folder, partition)
    total = int((table.schema.metadata or {})[b"rows"])
    rules, copies = np.full(total, NO_RULE, dtype=np.int16), np.full(total, ALONE, dtype=np.uint8)
    rows = table["row"].to_numpy()
    rules[rows], copies[rows] = table["rule"].to_numpy(), table["copy"].to_numpy()
    return rules, copies


def count_rules(rules: Rules, ids: Sequence[str]) -> dict[str, int]:
    """Count rows by the id of the rule that they are quarantined for; rules without a row are left out."""
    counts = np.bincount(rules[rules != NO_RULE], minlength=len(ids))
    return {ids[position]: int(counts[position]) for position in np.flatnonzero(counts).tolist()}
