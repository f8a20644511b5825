"""Sampled rows as Parquet files, and the process that writes them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from serving.bundle.manifest import NULL_TIMESTAMP
from serving.watch.sample_files import SampleFiles
from serving.watch.sample_writer import Frames, remove_abandoned

TABLE: dict[str, Any] = {
    "model": "a/b",
    "version": "7",
    "columns": [
        ["word", "string", 0],
        ["count", "integer", 0],
        ["flag", "boolean", 0],
        ["day", "date", 0],
        ["at", "timestamp", 0],
        ["grid", "number", 2],
    ],
    "outputs": [["label", "INT64", 1], ["probabilities", "FP32", 2]],
    "masked": ["secret"],
}
_DAY = 86_400_000_000
FRAME = [
    0,
    datetime(2026, 5, 1, 23, 59, tzinfo=UTC).timestamp(),
    "r-1",
    [0, 3],
    [["", "x"], [None, 3.0], [1.0, None], [_DAY, NULL_TIMESTAMP], [NULL_TIMESTAMP, 1], [[[1.0, 2.0]], [[3.0, None]]]],
    [[0, 1], [[0.25, 0.75], [0.5, 0.5]]],
]


def test_rows_have_the_contracts_types_and_nulls(tmp_path: Path) -> None:
    files = SampleFiles(tmp_path, 100, 100.0)
    files.introduce(TABLE)
    files.add(FRAME)
    assert files.write_due() is None
    assert files.rows == 2
    assert files.write_all() is None
    (path,) = tmp_path.rglob("*.parquet")
    assert path.parent == tmp_path / "model=a%2Fb" / "version=7" / "date=2026-05-01"
    table = pq.ParquetFile(path).read()
    assert table.column("record").to_pylist() == [
        {"word": None, "count": None, "flag": True, "day": date(1970, 1, 2), "at": None, "grid": [[1.0, 2.0]]},
        {
            "word": "x",
            "count": 3,
            "flag": None,
            "day": None,
            "at": datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            "grid": [[3.0, None]],
        },
    ]
    assert table.column("prediction").to_pylist()[0] == {"label": 0, "probabilities": [0.25, 0.75]}
    assert table.column("row").to_pylist() == [0, 3]
    assert table.column("time").to_pylist()[0] == datetime(2026, 5, 1, 23, 59, tzinfo=UTC)
    # The id itself is nobody's business; who knows it finds its rows by the digest.
    assert set(table.column("request").to_pylist()) == {"a5fa777a3dc67268caea6eea038ba141"}
    assert table.schema.metadata[b"headrace"] == b'{"model":"a/b","version":"7","masked":["secret"]}'


def test_a_file_is_due_by_rows_or_by_age_and_days_do_not_mix(tmp_path: Path) -> None:
    by_rows, by_age = SampleFiles(tmp_path / "rows", 4, 100.0), SampleFiles(tmp_path / "age", 100, 0.0)
    for files in (by_rows, by_age):
        files.introduce(TABLE)
        files.add(FRAME)
        assert files.write_due() is None
    assert (by_rows.rows, by_age.rows) == (2, 0)
    later: list[Any] = [0, FRAME[1] + 120, None, *FRAME[3:]]
    by_rows.add(FRAME)
    by_rows.add(later)
    assert by_rows.write_due() is None
    assert by_rows.rows == 2
    assert by_rows.write_all() is None
    days = {path.parent.name: pq.ParquetFile(path).metadata.num_rows for path in (tmp_path / "rows").rglob("*.parquet")}
    assert days == {"date=2026-05-01": 4, "date=2026-05-02": 2}


def test_rows_that_cannot_be_written_are_kept(tmp_path: Path) -> None:
    files = SampleFiles(tmp_path, 1, 100.0)
    files.introduce(TABLE)
    files.add(FRAME)
    obstacle = tmp_path / "model=a%2Fb"
    obstacle.write_text("a file where the folder goes")
    assert isinstance(files.write_due(), OSError)
    assert files.rows == 2
    obstacle.unlink()
    assert files.write_due() is None
    assert files.rows == 0
    assert not list(tmp_path.rglob(".*.tmp"))


def test_a_model_of_nothing_but_masked_columns_leaves_its_predictions(tmp_path: Path) -> None:
    files = SampleFiles(tmp_path, 1, 100.0)
    files.introduce(TABLE | {"columns": []})
    files.add([*FRAME[:4], [], FRAME[5]])
    assert files.write_due() is None
    (path,) = tmp_path.rglob("*.parquet")
    assert pq.ParquetFile(path).schema_arrow.names == ["time", "request", "row", "prediction"]


def test_frames_are_cut_wherever_the_pipe_cuts() -> None:
    read, write = os.pipe()
    frames, got = Frames(read), []
    content = b"".join(len(part).to_bytes(4, "big") + part for part in (b"one", b"", b"three"))
    for place in range(len(content)):
        os.write(write, content[place : place + 1])
        got += list(frames.arrived(1.0))
    assert got == [b"one", b"", b"three"]
    assert list(frames.arrived(0.0)) == []
    assert not frames.ended
    os.close(write)
    assert list(frames.arrived(1.0)) == []
    assert frames.ended
    os.close(read)


def test_what_a_killed_writer_left_is_removed_once_nobody_can_be_writing_it(tmp_path: Path) -> None:
    folder = tmp_path / "model=a" / "version=1" / "date=2026-05-01"
    folder.mkdir(parents=True)
    for name in (".old.tmp", ".new.tmp", "kept.parquet"):
        (folder / name).touch()
    for name in (".old.tmp", "kept.parquet"):
        os.utime(folder / name, (1.0, 1.0))
    remove_abandoned(tmp_path)
    assert {path.name for path in folder.iterdir()} == {".new.tmp", "kept.parquet"}
