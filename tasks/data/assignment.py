"""The rules that give a row its split: by a stable hash of some of its values, or by time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.hashing import hash_rows, seed_of
from tasks.data.partitions import Partition, read_manifest, read_partition
from tasks.engine import Client, merge_partitions
from tasks.errors import ConfigError, DataError
from tasks.preprocessing.columns import instants, numeric_values, one_array
from tasks.preprocessing.sketch import Distribution
from tasks.references import DatasetRef

BUCKETS = 10_000
PORTABLE_BUCKETS = 100
# A multiplier of Knuth's kind, as used in well-known integer hashes: odd, its bits evenly mixed.
_PORTABLE_FACTOR = 2_246_822_507

Codes = NDArray[np.uint8]
Assigner = Callable[[Sequence[pa.ChunkedArray]], Codes]


def assign_by_hash(columns: Sequence[pa.ChunkedArray], *, shares: Sequence[float], salt: str) -> Codes:
    """Assign rows by a hash of the text of their values, so `7` the integer and `7` the string fall alike.

    Args:
        columns: The key's or the group's columns, in order.
        shares: Share of each split, in order; they add up to 1.
        salt: Another salt gives an independent split.

    Returns:
        uint8 [N], the split's place in `shares`.
    """
    text = [one_array(column).cast(pa.string()) for column in columns]
    buckets = hash_rows(text, len(text[0]), seed_of(salt)) % np.uint64(BUCKETS)
    ends = np.rint(np.cumsum(shares)[:-1] * BUCKETS)
    return np.searchsorted(ends, buckets.astype(np.float64), side="right").astype(np.uint8)


def assign_by_portable_hash(columns: Sequence[pa.ChunkedArray], *, shares: Sequence[float]) -> Codes:
    """Assign rows by `((key * 2246822507) mod 2^32) div 65536 mod 100`, which any SQL engine computes alike.

    Args:
        columns: One column of integers; of a negative one the modulus counts that is not negative.
        shares: Share of each split, in order, in whole hundredths.

    Returns:
        uint8 [N], the split's place in `shares`; a null has the key 0.
    """
    keys = one_array(columns[0]).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
    # Arithmetic modulo 2^64 is exact modulo 2^32.
    hashed = (keys * np.uint64(_PORTABLE_FACTOR)).astype(np.uint32)
    buckets = (hashed >> np.uint32(16)) % np.uint32(PORTABLE_BUCKETS)
    split_of = np.searchsorted(
        np.rint(np.cumsum(shares)[:-1] * PORTABLE_BUCKETS), np.arange(PORTABLE_BUCKETS), side="right"
    )
    return np.asarray(split_of.astype(np.uint8)[buckets])


def assign_by_time(columns: Sequence[pa.ChunkedArray], *, cuts: tuple[int, int]) -> Codes:
    """Assign rows by their instant: before the first cut, before the second, or from the second on.

    Args:
        columns: One column of dates or timestamps.
        cuts: Microseconds since 1970 UTC at which validation and test begin.

    Raises:
        DataError: A row has no instant.
    """
    array = one_array(columns[0])
    if array.null_count:
        raise DataError(
            f"split by time: {array.null_count} rows of one partition have no instant, so they have no place in time\n"
            "  do: make the column `required` in the contract, which quarantines such rows, or split by `group`"
        )
    return np.searchsorted(np.asarray(cuts), instants(array), side="right").astype(np.uint8)


def time_cuts(
    client: Client, clean: DatasetRef, column: str, shares: Sequence[float], explicit: tuple[str, str] | None
) -> tuple[int, int]:
    """Return the instants at which validation and test begin, in microseconds since 1970 UTC.

    Args:
        client: Who does the work.
        clean: The dataset.
        column: Its column of dates or timestamps.
        shares: Shares of the rows before, between and after; rows of the same instant stay together.
        explicit: The two instants as the config gives them, used as they are.

    Raises:
        ConfigError: An explicit instant cannot be read, or the two are out of order.
    """
    if explicit is not None:
        return instants_of(explicit)
    work = partial(_distribution, folder=clean.folder, column=column)
    partitions = read_manifest(clean).partitions
    found = merge_partitions(client, work, partitions, Distribution.merge, label="split: time")
    ends = found.quantiles(np.cumsum(shares)[:-1].tolist())
    # A cut begins the next split, so it stands just after the last instant of the one before.
    return int(ends[0]) + 1, int(ends[1]) + 1


def instants_of(cuts: tuple[str, str]) -> tuple[int, int]:
    """Return the two instants of a config, in microseconds since 1970 UTC.

    Raises:
        ConfigError: One cannot be read, or the two are out of order.
    """
    first, second = (_microseconds(text) for text in cuts)
    if first >= second:
        raise ConfigError(f"split.cuts: {cuts[0]} must be before {cuts[1]}")
    return first, second


def _distribution(partition: Partition, *, folder: Path, column: str) -> Distribution:
    return Distribution.of(numeric_values(read_partition(folder, partition, [column])[column]))


def _microseconds(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"split.cuts: `{text}` is no ISO 8601 date or time, such as 2013-10-01T00:00:00Z") from error
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
