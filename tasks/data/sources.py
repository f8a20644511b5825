"""Where raw data lies: the config's path, and the files behind it."""

from __future__ import annotations

import codecs
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.errors import DataError
from tasks.storage import files_below, is_remote, place

Format = Literal["parquet", "csv", "jsonl", "arrow"]

_SAID: dict[Format, str] = {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON lines", "arrow": "Arrow"}
# Of the 255 bytes that most file systems allow.
_LONGEST_NAME = 200
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
}


class SourceConfig(BaseModel):
    """A source of raw rows.

    Attributes:
        path: A file, a folder (every data file below it, in the order of their names), or a glob pattern; on this
            machine's disk, or in an object store by a URI such as `s3://bucket/folder/*.parquet`.
        format: What the files are, where their names do not say so: `parquet`, `csv`, `jsonl` (an object a line) or
            `arrow` (Arrow's file format, Feather too).
        delimiter: Between the fields of a CSV row.
        quote: Around a field of a CSV row that holds delimiters or line breaks.
        encoding: Of CSV files and JSON lines.
        header: Whether the first row of a CSV file names the columns.
        columns: Names of the columns of a CSV file, in its order: in place of its header, or where it has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    format: Format | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    encoding: str = "utf-8"
    header: bool = True
    columns: tuple[str, ...] | None = Field(default=None, min_length=1)

    @field_validator("delimiter")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        if not value.isascii() or value in '"\r\n':
            raise ValueError(f"expected one ASCII character that is no quote and no line break, got {value!r}")
        return value

    @field_validator("quote")
    @classmethod
    def _is_quote(cls, value: str) -> str:
        if not value.isascii() or value.isalnum() or value.isspace():
            raise ValueError(f"expected one ASCII sign such as \" or ', got {value!r}")
        return value

    @field_validator("columns")
    @classmethod
    def _are_names(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = sorted(name for name, times in Counter(columns or ()).items() if times > 1)
        if twice or "" in (columns or ()):
            raise ValueError(
                f"expected names that differ, got {'an empty one' if not twice else f'{twice[0]!r} twice'}"
            )
        return columns

    @model_validator(mode="after")
    def _is_named(self) -> SourceConfig:
        if not self.header and self.columns is None:
            raise ValueError("without a header nothing names the columns\n  do: list their names in `columns`")
        return self

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError as error:
            raise ValueError(f"{value!r} is no encoding that Python knows, such as utf-8 or latin-1") from error
        return value


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        name: Relative to the source, with forward slashes; what messages, digests and the quarantine call it.
    """

    name: str
    path: Path
    format: Format

    @property
    def stored(self) -> str:
        """The name below which its rows are stored: shortened where a suffix would make it longer than names can be."""
        folder, slash, last = self.name.rpartition("/")
        if len(last.encode()) > _LONGEST_NAME:
            mark = hashlib.sha256(last.encode()).hexdigest()[:16]
            last = f"{last.encode()[:_LONGEST_NAME].decode(errors='ignore')}-{mark}"
        return f"{folder}{slash}{last}"


def list_files(source: SourceConfig) -> list[SourceFile]:
    """Return the source's files in the order of their names.

    Raises:
        DataError: Nothing is there, or the files' names do not say what they are.
    """
    root, paths = _find(source.path)
    files = []
    for path in sorted(paths):
        format_ = source.format or _format(path)
        if format_ is not None:
            files.append(SourceFile(path.relative_to(root).as_posix(), path, format_))
    if not files:
        known = ", ".join(_SUFFIXES)
        raise DataError(
            f"source {source.path}: no data file is there (looked for names that end in {known})\n"
            "  do: mend `source.path`, or say what the files are with `source.format`"
        )
    formats = {file.format for file in files}
    if len(formats) > 1:
        raise DataError(
            f"source {source.path}: holds {' and '.join(sorted(_SAID[each] for each in formats))} files, and only one "
            "of them can be meant\n"
            "  do: give a pattern such as `folder/*.csv`"
        )
    return files


def named_files(source: str) -> dict[str, Path]:
    """Return every file of a source by its name relative to the source, whatever it holds.

    Args:
        source: A file, a folder or a glob pattern.

    Raises:
        DataError: Nothing is there.
    """
    root, paths = _find(source)
    return {path.relative_to(root).as_posix(): path for path in sorted(paths)}


def stamp_of(path: Path) -> str:
    """Return what tells whether a file was written again: its size and, on a disk, when that was."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def require_unchanged(stamps: Mapping[str, str]) -> None:
    """Check that source files are those that were ingested, so that no digest stands for the rows of another file.

    Args:
        stamps: By path, what `stamp_of` said before the file was first read.

    Raises:
        DataError: A file was written again since then, or is gone.
    """
    for path, stamp in stamps.items():
        try:
            same = stamp_of(place(path)) == stamp
        except FileNotFoundError:
            same = False
        if not same:
            raise DataError(
                f"{path}: the file changed while it was read, so its rows are not those that were ingested\n"
                "  do: run again once nothing writes to the source; it will be ingested anew"
            )


def _find(path: str) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and the files, hidden ones left out."""
    where = place(path).absolute()
    if where.is_file():
        return where.parent, [where]
    if where.is_dir():
        return where, [each for each in files_below(where) if not _hidden(each.relative_to(where))]
    if has_magic(path):
        found = _matching(where)
        return (_common_folder(found) if found else where), found
    raise DataError(f"source {path}: there is no such file or folder\n  do: mend `source.path`")


def _matching(pattern: Path) -> list[Path]:
    if is_remote(pattern):
        scheme, bucket, *below = pattern.parts
        return list(place(f"{scheme}//{bucket}").glob("/".join(below)))
    return [Path(each) for each in glob(str(pattern), recursive=True) if Path(each).is_file()]  # noqa: PTH207


def _common_folder(paths: Sequence[Path]) -> Path:
    """Return the deepest folder that all files are below."""
    folder = paths[0].parent
    while not all(path.is_relative_to(folder) for path in paths):
        folder = folder.parent
    return folder


def _hidden(relative: Path) -> bool:
    return any(part.startswith((".", "_")) for part in relative.parts)


def _format(path: Path) -> Format | None:
    name = path.name.lower()
    return next((format_ for suffix, format_ in _SUFFIXES.items() if name.endswith(suffix)), None)
