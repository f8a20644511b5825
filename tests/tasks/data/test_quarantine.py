from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.partitions import Manifest, Partition
from tasks.data.quarantine import RawPartition, raw_partitions, write_quarantine
from tasks.data.verdicts import NO_RULE


def test_partitions_know_where_they_come_from():
    manifest = Manifest(
        columns={},
        partitions=(
            Partition(path="rows/a.csv.parquet", row_group=0, rows=5),
            Partition(path="rows/a.csv.parquet", row_group=1, rows=3),
            Partition(path="/src/b.parquet", row_group=0, rows=2),
        ),
        digests={"rows/a.csv.parquet": "", "broken/a.csv.parquet": "", "/src/b.parquet": ""},
        sources={"rows/a.csv.parquet": "a.csv", "/src/b.parquet": "b.parquet"},
    )
    found = [(each.index, each.source_file, each.rows_before, each.broken_rows) for each in raw_partitions(manifest)]
    assert found == [
        (0, "a.csv", 0, "broken/a.csv.parquet"),
        (1, "a.csv", 5, "broken/a.csv.parquet"),
        (2, "b.parquet", 0, None),
    ]


@given(broken=st.sets(st.integers(1, 30), max_size=15), cut=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_rows_are_numbered_as_a_reader_of_the_file_counts(tmp_path_factory, broken, cut):
    folder: Path = tmp_path_factory.mktemp("broken")
    pq.write_table(pa.table({"source_row": pa.array(sorted(broken), pa.int64())}), folder / "b.parquet")
    there = [number for number in range(1, 40) if number not in broken]
    cut = min(cut, len(there) - 1)
    numbers = []
    for before, rows in ((0, cut), (cut, len(there) - cut)):
        partition = RawPartition(0, Partition(path="", row_group=0, rows=rows), "a.csv", before, "b.parquet")
        numbers += partition.source_rows(folder).to_pylist()
    assert numbers == there


def test_rows_are_written_as_text_whatever_their_type(tmp_path: Path):
    raw = pa.table(
        {
            "n": pa.array([1, 2, None], pa.int32()),
            "w": pa.array(["a", "b", None]).dictionary_encode(),
            "t": pa.array([0, 1, None], pa.timestamp("s")),
        }
    )
    rules = np.array([1, NO_RULE, 0], dtype=np.int16)
    write_quarantine(tmp_path, "part.parquet", raw, rules, ["first", "second"], ("a.csv", pa.array([1, 2, 3])))
    assert pq.read_table(tmp_path / "quarantine" / "part.parquet").to_pylist() == [
        {
            "n": "1",
            "w": "a",
            "t": "1970-01-01 00:00:00",
            "rule_id": "second",
            "source_file": "a.csv",
            "source_row": 1,
            "source_text": None,
        },
        {
            "n": None,
            "w": None,
            "t": None,
            "rule_id": "first",
            "source_file": "a.csv",
            "source_row": 3,
            "source_text": None,
        },
    ]


def test_no_broken_row_writes_no_file(tmp_path: Path):
    rules = np.full(2, NO_RULE, dtype=np.int16)
    write_quarantine(tmp_path, "part.parquet", pa.table({"a": [1, 2]}), rules, [], ("a.csv", pa.array([1, 2])))
    assert list(tmp_path.iterdir()) == []
