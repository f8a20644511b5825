"""Write a large, dirty flights data set with known defects, and the truth about it.

Rows are drawn from the real flights with a seed, jittered, and damaged at known rates. A file depends on its number,
the seed and the rows of a file alone, so files are made in parallel and again alike. One row in a hundred is a copy:
half of an earlier row of the same file, half of a row of an earlier file, so that looking for copies file by file finds
half.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.dirty.base import RATES
from benchmarks.data.dirty.block import Block, make_block
from benchmarks.data.dirty.truth import Histograms, add, aggregate, merge_histograms, quantiles, rejected, take

_GROUP_ROWS = 125_000
_PROCESSES = 2


@dataclass(frozen=True)
class Chunk:
    """One file to write."""

    folder: Path
    seed: int
    number: int
    rows: int
    file_rows: int


def generate(folder: Path, rows: int, seed: int = 7, file_rows: int = 500_000) -> dict[str, Any]:
    """Write `part-00000.parquet` and so on, and `truth.json`; returns the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [
        Chunk(folder, seed, number, min(file_rows, rows - start), file_rows)
        for number, start in enumerate(range(0, rows, file_rows))
    ]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        done = pool.map(make_file, chunks)
        truth, histograms = next(done)
        for more, more_histograms in done:
            truth, histograms = add(truth, more), merge_histograms(histograms, more_histograms)
    for name, histogram in histograms.items():
        truth["num"][name] |= quantiles(histogram)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1))
    return truth


def make_file(chunk: Chunk) -> tuple[dict[str, Any], Histograms]:
    """Write one file and return the truth about it."""
    copies = int(chunk.rows * RATES["duplicate"])
    # The first rows of every file are those that later files may copy, so that they can be made again alone.
    lent = min(max(1, int(chunk.file_rows * RATES["duplicate"])), chunk.rows - copies)
    start = chunk.number * chunk.file_rows
    random = np.random.default_rng([chunk.seed, chunk.number, 99])
    head = make_block((chunk.seed, chunk.number, 0), start, lent)
    body = make_block((chunk.seed, chunk.number, 1), start + lent, chunk.rows - copies - lent)
    other = head
    if chunk.number:
        source = int(random.integers(0, chunk.number))
        other = make_block((chunk.seed, source, 0), source * chunk.file_rows, lent)
    near = random.integers(0, body.table.num_rows, copies // 2)
    far = random.integers(0, other.table.num_rows, copies - copies // 2)
    tables = [head.table, body.table, body.table.take(pa.array(near)), other.table.take(pa.array(far))]
    shuffled = pa.concat_tables(tables).combine_chunks().take(pa.array(random.permutation(chunk.rows)))
    path = chunk.folder / f"part-{chunk.number:05d}.parquet"
    pq.write_table(shuffled, path, row_group_size=_GROUP_ROWS, compression="snappy")
    return _describe(chunk, head, body, [take(body.truth, near), take(other.truth, far)])


def _describe(chunk: Chunk, head: Block, body: Block, copied: list[Any]) -> tuple[dict[str, Any], Histograms]:
    reasons: Counter[str] = Counter()
    valid_copies = sum(int(rejected(truth, reasons).sum()) for truth in copied)
    fresh = {name: np.concatenate([head.truth[name], body.truth[name]]) for name in head.truth}
    described, histograms = aggregate(take(fresh, rejected(fresh, reasons)))
    made = {
        "rows": chunk.rows,
        "duplicates": sum(len(truth["event_id"]) for truth in copied),
        "duplicates_among_valid": valid_copies,
        "quarantine": dict(reasons),
        "injected": dict(head.counts + body.counts),
    }
    return made | described, histograms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    started = time.perf_counter()
    generate(arguments.folder, arguments.rows, arguments.seed)
    print(f"{arguments.rows:,} rows in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
