"""The floor: read the raw Parquet and write it again with pyarrow, two files at a time. Arguments: IN OUT."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.job import parquet_files

_THREADS = 2


def main(source: str, out: str) -> None:
    Path(out).mkdir(parents=True, exist_ok=True)
    pa.set_cpu_count(_THREADS)
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(partial(_rewrite, out=Path(out)), parquet_files(source)))


def _rewrite(path: str, *, out: Path) -> None:
    table = pq.read_table(path, use_threads=False)
    pq.write_table(table, out / Path(path).name, row_group_size=125_000, compression="snappy")


if __name__ == "__main__":
    main(*sys.argv[1:3])
