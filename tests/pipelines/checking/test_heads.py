"""The first rows of a file are whole rows of it, in whatever format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.checking.heads import copy_heads
from tasks.data.sources import SourceConfig

VALUES = [{"a": number, "b": f"text {number}"} for number in range(50)]


def write(path: Path) -> Path:
    table = pa.Table.from_pylist(VALUES)
    text = "a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in VALUES)
    match path.name.partition(".")[2]:
        case "parquet":
            pq.write_table(table, path)
        case "arrow":
            with pa.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        case "csv":
            path.write_text(text, encoding="utf-8-sig")
        case "csv.gz":
            path.write_bytes(gzip.compress(text.encode()))
        case "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in VALUES))
    return path


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv", "csv.gz", "jsonl"])
@pytest.mark.parametrize("rows", [7, 50])
def test_rows_are_copied_and_all_of_them_estimated(tmp_path: Path, suffix: str, rows: int) -> None:
    path = write(tmp_path / f"data.{suffix}")
    copies = tmp_path / "copies"
    copies.mkdir()
    heads = copy_heads(SourceConfig(path=str(path)), copies, rows)
    assert heads.names == ("a", "b")
    assert heads.whole == (rows == 50)
    assert heads.counted == (rows == 50 or suffix in {"parquet", "arrow"})
    # Packed, so few rows say little of the others.
    assert heads.rows == 50 if heads.counted else 10 < heads.rows < 80
    assert heads.source.path == str(copies / path.name)


def test_files_of_a_folder_keep_their_names_and_hidden_ones_stay_away(tmp_path: Path) -> None:
    source, copies = tmp_path / "source", tmp_path / "copies"
    (source / "below").mkdir(parents=True)
    copies.mkdir()
    for name in ("a.csv", "below/b.csv", ".hidden.csv"):
        write(source / name) if name != ".hidden.csv" else (source / name).write_text("x\n1\n")
    heads = copy_heads(SourceConfig(path=str(source)), copies, 20)
    assert sorted(str(path.relative_to(copies)) for path in copies.rglob("*.csv")) == ["a.csv", "below/b.csv"]
    assert len((copies / "below" / "b.csv").read_text().splitlines()) == 2
    assert (heads.files, heads.counted) == (2, False)
    assert 90 < heads.rows < 110


def test_files_that_a_pattern_finds_may_all_be_hidden(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for name in ("_a.csv", "_b.csv"):
        write(tmp_path / "x.csv").rename(tmp_path / name)
    heads = copy_heads(SourceConfig(path=str(tmp_path / "_*.csv")), copies, 20)
    assert (heads.files, heads.source.path) == (2, str(copies / "_a.csv"))
    assert 90 < heads.rows < 110


@settings(max_examples=40)
@given(
    cells=st.lists(st.tuples(st.text(max_size=6), st.text('",\n\r;x', max_size=4)), min_size=1, max_size=12),
    rows=st.integers(1, 12),
)
def test_a_csv_file_is_cut_between_rows(cells: list[tuple[str, str]], rows: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    with tempfile.TemporaryDirectory() as name:
        path, copies = Path(name) / "data.csv", Path(name) / "copies"
        copies.mkdir()
        path.write_bytes(text.getvalue().encode("utf-8", "replace"))
        heads = copy_heads(SourceConfig(path=str(path)), copies, rows)
        with (
            (copies / "data.csv").open(newline="", encoding="utf-8") as copy,
            path.open(newline="", encoding="utf-8") as whole,
        ):
            assert list(csv.reader(copy)) == list(csv.reader(whole))[: rows + 1]
    assert heads.whole == (len(cells) <= rows)
