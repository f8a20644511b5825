"""How many rows a partition has: as many as keep every thread busy within the memory it can count on.

The number comes from the width of a row and is a power of two, so the same data is cut alike on nearly every machine.
Only where a thread has less than a gigabyte or so are partitions halved, and halved again, until they fit. Then, and
only then, do the digests of the datasets depend on the machine; the rows and their order never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

# Decoded bytes of a partition, most often twice what there are: enough that its fixed costs do not count, and little
# beside a gigabyte.
TARGET_BYTES = 128 << 20
# A thread holds a partition raw, typed, and in what is made of it; and row groups may be twice the target.
_COPIES = 4
# The share of a worker's memory that partitions may take; the rest is for the libraries and for what is merged.
_SHARE = 0.5
# A row group of a source that is so much larger than the target is still read as it is.
_STRETCH = 2
_LEAST_ROWS = 1_024
# Bytes that a value of text is taken to have, where nothing says more.
_TEXT = 24


@dataclass(frozen=True)
class PartitionSize:
    """Bounds of a partition.

    Attributes:
        rows: How many rows are written to a row group, and up to how many smaller row groups are joined.
        most: Row groups with more rows are cut.
    """

    rows: int
    most: int


def partition_size(row_bytes: int, thread_memory: int | None) -> PartitionSize:
    """Return how large partitions are.

    Args:
        row_bytes: Decoded bytes of a row.
        thread_memory: Bytes of memory for each thread; None where there is no limit.
    """
    target = TARGET_BYTES
    while thread_memory and target * _COPIES > thread_memory * _SHARE and target > row_bytes * _LEAST_ROWS:
        target //= 2
    rows = max(_LEAST_ROWS, 1 << max(0, (target // max(1, row_bytes)).bit_length() - 1))
    return PartitionSize(rows, rows * _STRETCH)


def row_bytes(schema: pa.Schema, columns: Sequence[str], stored: int = 0) -> int:
    """Return about how many bytes a decoded row has.

    Args:
        schema: The columns' types.
        columns: Those that are read.
        stored: Bytes of a row as the file has it, unpacked; long texts make it more than the types tell.
    """
    return max(stored, sum(_width(schema.field(name).type) for name in columns))


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return _TEXT
