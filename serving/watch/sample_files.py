"""Sampled rows as Parquet files. Only the sample writer's process imports this module, and so pyarrow."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

_INSTANT = pa.timestamp("us", tz="UTC")
_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": _INSTANT,
}
_OUTPUTS = {
    "BYTES": pa.string(),
    "BOOL": pa.bool_(),
    **{f"FP{bits}": kind for bits, kind in ((16, pa.float32()), (32, pa.float32()), (64, pa.float64()))},
    **{f"INT{bits}": pa.int64() for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": pa.uint64() for bits in (8, 16, 32, 64)},
}
_NULL_TIMESTAMP = -(2**63)
_ID_CHARACTERS = 32


@dataclass
class Part:
    """Rows of one model version and one day that are not written yet.

    Attributes:
        since: `monotonic()` when the first of them came.
        frames: What came: for each frame the table's number, time, request id, rows, columns and predictions.
    """

    since: float
    rows: int = 0
    frames: list[list[Any]] = field(default_factory=list)


class SampleFiles:
    """Gathers rows and writes them, each file whole or not at all.

    Args:
        folder: Takes `model=<name>/version=<version>/date=<date>/<file>.parquet`; names are percent-encoded.
        rows_per_file: A file is due when so many rows are there.
        seconds_per_file: Or when its first row is so old.
    """

    def __init__(self, folder: Path, rows_per_file: int, seconds_per_file: float) -> None:
        self._folder = folder
        self._rows_per_file = rows_per_file
        self._seconds_per_file = seconds_per_file
        self._tables: list[dict[str, Any]] = []
        self._parts: dict[tuple[int, str], Part] = {}

    @property
    def rows(self) -> int:
        """How many rows are not written yet."""
        return sum(part.rows for part in self._parts.values())

    def introduce(self, table: dict[str, Any]) -> None:
        """Take the next table: `model`, `version`, `columns`, `outputs` and `masked` of `samples.SampleTable`."""
        self._tables.append(table)

    def add(self, frame: list[Any]) -> None:
        """Take sampled rows: table's number, time, request id, positions, columns, predictions."""
        number, moment = frame[0], frame[1]
        date = datetime.fromtimestamp(moment, UTC).date().isoformat()
        part = self._parts.setdefault((number, date), Part(monotonic()))
        part.frames.append(frame)
        part.rows += len(frame[3])

    def write_due(self) -> OSError | None:
        """Write every file that is due; return what kept one from being written."""
        now = monotonic()
        return self._write(
            [
                key
                for key, part in self._parts.items()
                if part.rows >= self._rows_per_file or now - part.since >= self._seconds_per_file
            ]
        )

    def write_all(self) -> OSError | None:
        """Write every row that is there; return what kept one from being written."""
        return self._write(list(self._parts))

    def _write(self, keys: Sequence[tuple[int, str]]) -> OSError | None:
        failed: OSError | None = None
        for key in keys:
            number, date = key
            table = self._tables[number]
            names = (("model", table["model"]), ("version", table["version"]), ("date", date))
            folder = self._folder.joinpath(*(f"{name}={quote(value, safe='')}" for name, value in names))
            try:
                frames = self._parts[key].frames
                _write_file(folder, f"{frames[0][1]:.3f}-{uuid.uuid4().hex}", _table(table, frames))
            except OSError as error:
                failed = error
            else:
                del self._parts[key]
        return failed


def _table(table: dict[str, Any], frames: list[list[Any]]) -> pa.Table:
    """Return rows as a table of `time`, `request`, `row`, `record` and `prediction`; the last two are structs."""
    moments = [round(frame[1] * 1e6) for frame in frames for _ in frame[3]]
    requests = [_hidden(frame[2]) for frame in frames for _ in frame[3]]
    rows = [row for frame in frames for row in frame[3]]
    record = {
        name: _column(_joined(frames, 4, place), kind, depth)
        for place, (name, kind, depth) in enumerate(table["columns"])
    }
    prediction = {
        name: _output(_joined(frames, 5, place), datatype, depth)
        for place, (name, datatype, depth) in enumerate(table["outputs"])
    }
    about = {"model": table["model"], "version": table["version"], "masked": table["masked"]}
    arrays: dict[str, pa.Array] = {
        "time": pa.array(moments, pa.int64()).cast(_INSTANT),
        "request": pa.array(requests, pa.string()),
        "row": pa.array(rows, pa.int64()),
    }
    for name, columns in (("record", record), ("prediction", prediction)):
        # Parquet has no struct without fields, which a model of nothing but images or masked columns would need.
        if columns:
            arrays[name] = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    return pa.table(arrays, metadata={"headrace": orjson.dumps(about)})


def _joined(frames: list[list[Any]], part: int, place: int) -> list[Any]:
    return [value for frame in frames for value in frame[part][place]]


def _column(values: list[Any], kind: str, depth: int) -> pa.Array:
    """Turn values as they entered the graph back into the contract's type, null included; arrays become lists."""
    if depth:
        return pa.array(values, _nested(_TYPES[kind], depth))
    if kind == "string":
        return pa.array([value or None for value in values], pa.string())
    if kind in {"date", "timestamp"}:
        instants = pa.array([None if value == _NULL_TIMESTAMP else value for value in values], pa.int64())
        return instants.cast(_INSTANT).cast(_TYPES[kind])
    if kind == "boolean":
        return pa.array([None if value is None else bool(value) for value in values], pa.bool_())
    if kind == "integer":
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    return pa.array(values, pa.float64())


def _output(values: list[Any], datatype: str, depth: int) -> pa.Array:
    return pa.array(values, _nested(_OUTPUTS[datatype], depth - 1))


def _nested(kind: pa.DataType, depth: int) -> pa.DataType:
    return kind if depth == 0 else pa.list_(_nested(kind, depth - 1))


def _hidden(request: str | None) -> str | None:
    """Return a digest of a request's id: it finds the request of a known id, and tells nobody the id."""
    if request is None:
        return None
    return hashlib.sha256(request.encode()).hexdigest()[:_ID_CHARACTERS]


def _write_file(folder: Path, name: str, table: pa.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{name}.tmp"
    try:
        with temporary.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / f"{name}.parquet")
    finally:
        temporary.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
