"""The endpoint's samples of one model version: their files, their time, and their rows a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_contracts.yaml_lines import nearest
from tasks.errors import DataError, NoSamplesError

_BATCH_ROWS = 65_536
_COLUMNS = ("time", "request", "row", "prediction")
_NAME_FOLDERS = "the section `samples` of the endpoint's config names the folder (docs/watching.md)"


@dataclass(frozen=True)
class Slices:
    """Equal slices of a span of time.

    Attributes:
        begin: Microseconds since 1970, of the first.
        width: Of each, in microseconds.
        count: How many.
    """

    begin: int
    width: int
    count: int

    @classmethod
    def over(cls, begin: int, end: int, count: int) -> Slices:
        """Cut the time from `begin` to `end`, both included."""
        return cls(begin, max(1, -(-(end - begin + 1) // count)), count)

    def places(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each instant's slice; what was written since the files were looked at counts as the last."""
        return np.clip((times - self.begin) // self.width, 0, self.count - 1)

    def start(self, place: int) -> datetime:
        """Return when a slice begins."""
        return instant(self.begin + place * self.width)


def instant(microseconds: int) -> datetime:
    """Return microseconds since 1970 as a time of UTC."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC)


@dataclass(frozen=True)
class Samples:
    """Files with rows of one model version.

    Attributes:
        files: In the order of their names.
        begin: Microseconds since 1970 of the earliest row that counts.
        end: Of the latest.
        since: Rows before it do not count.
    """

    files: tuple[Path, ...]
    begin: int
    end: int
    since: int | None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows that count, with `time` as int64 microseconds.

        Raises:
            DataError: A file is torn, or went away.
        """
        for path in self.files:
            with _reading(path), pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH_ROWS):
                    times = batch.column("time").cast(pa.int64())
                    whole = batch.set_column(batch.schema.get_field_index("time"), "time", times)
                    yield whole if self.since is None else whole.filter(pc.greater_equal(times, self.since))


def find_samples(folder: Path, model: str, version: str, since: datetime | None) -> Samples | None:
    """Find the samples of a model version; only the files' footers are read.

    Args:
        folder: What the endpoint's config calls `samples.folder`.
        model: The model's name.
        version: Its version.
        since: Rows before it do not count; all do by default.

    Returns:
        None where there are samples, but none since then.

    Raises:
        NoSamplesError: There is no such folder, or it holds no samples of that version.
        DataError: A file is not the endpoint's.
    """
    below = _partition(_partition(folder, "model", model), "version", version)
    begins, ends, files = [], [], []
    since_at = None if since is None else round(since.timestamp() * 1e6)
    for path in sorted(below.glob("date=*/*.parquet")):
        span = _span(path, model, version)
        if span is None or (since_at is not None and span[1] < since_at):
            continue
        files.append(path)
        begins.append(span[0])
        ends.append(span[1])
    if not files:
        return None
    return Samples(tuple(files), max(min(begins), since_at or 0), max(ends), since_at)


def _partition(folder: Path, key: str, name: str) -> Path:
    found = folder / f"{key}={quote(name, safe='')}"
    if found.is_dir():
        return found
    if not folder.is_dir():
        raise NoSamplesError(f"{folder}: there is no such folder of samples\n  do: name another; {_NAME_FOLDERS}")
    names = [unquote(path.name.removeprefix(f"{key}=")) for path in sorted(folder.glob(f"{key}=*"))]
    close = nearest(name, names)
    hint = f", nearest: {close!r}" if close else ""
    raise NoSamplesError(
        f"{folder}: no samples of {key} {name!r}; there are some of: {', '.join(names[:5]) or 'nothing'}{hint}\n"
        f"  do: let the endpoint answer with that {key} and sample, or name another {key} or folder; {_NAME_FOLDERS}"
    )


def _span(path: Path, model: str, version: str) -> tuple[int, int] | None:
    """Return the first and the last time of a file in microseconds; None of an empty one."""
    with _reading(path), pq.ParquetFile(path) as file:
        schema, footer = file.schema_arrow, file.metadata
        missing = [name for name in _COLUMNS if name not in schema.names]
        if missing:
            raise DataError(
                f"{path}: no sample of the endpoint: it lacks the column `{missing[0]}`, it has "
                f"{', '.join(schema.names[:5])}\n  do: name the folder that the endpoint writes; {_NAME_FOLDERS}"
            )
        about = json.loads((schema.metadata or {}).get(b"headrace", b"{}"))
        found = about.get("model"), about.get("version")
        if found != (model, version):
            raise DataError(
                f"{path}: samples of another model: expected {model!r} version {version!r}, got {found[0]!r} version "
                f"{found[1]!r}\n  do: move the file back to where the endpoint wrote it"
            )
        if not footer.num_rows:
            return None
        # Leaves count here, and those of the structs stand behind it.
        place = next(i for i in range(footer.num_columns) if footer.schema.column(i).path == "time")
        statistics = [footer.row_group(group).column(place).statistics for group in range(footer.num_row_groups)]
        return min(_microseconds(each.min) for each in statistics), max(_microseconds(each.max) for each in statistics)


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        raise DataError(
            f"{path}: cannot be read: {error}\n  do: run it again where the file was just removed; remove a torn file"
        ) from error
