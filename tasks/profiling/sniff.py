"""Sniffing: from a path to a source that ingest can read, with what was assumed on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tasks.data.sources import Format, SourceConfig
from tasks.errors import DataError
from tasks.profiling.dialect import Dialect, find_dialect
from tasks.profiling.file_kinds import file_format, head_text, text_encoding

_SUFFIXES = (".parquet", ".pq", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".arrow", ".feather", ".gz", ".data")
_OF_INGEST = {"csv": (".csv", ".csv.gz"), "parquet": (".parquet", ".pq"), "arrow": (".arrow", ".feather"),
              "jsonl": (".jsonl", ".ndjson", ".jsonl.gz")}  # fmt: skip
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class Sniffed:
    """A source that nobody has described yet.

    Attributes:
        source: How it is read.
        assumed: What was found by itself, as `key of the source -> sentence`.
    """

    source: SourceConfig
    assumed: dict[str, str]


def sniff(path: Path) -> Sniffed:
    """Find out what a file, or a folder of files alike, holds and how it is written.

    Raises:
        DataError: Nothing is there, or nothing that can be read.
    """
    files = _files(path)
    formats = {file: file_format(file) for file in files}
    kinds = sorted(set(formats.values()))
    if len(kinds) > 1:
        example = {kind: next(file.name for file in files if formats[file] == kind) for kind in kinds}
        said = ", ".join(f"{name} is {kind}" for kind, name in example.items())
        raise DataError(
            f"{path}: holds files of several kinds ({said})\n"
            "  do: name one file, or put those of one kind into a folder of their own"
        )
    kind = formats[files[0]]
    if kind == "csv":
        return _sniff_csv(path, files)
    assumed = {}
    if kind == "jsonl":
        encoding = _encoding(files)
        if encoding != "utf-8":
            assumed["encoding"] = f"the text is {encoding}"
        return Sniffed(SourceConfig(path=str(path), format=_said(files, kind), encoding=encoding), assumed)
    return Sniffed(SourceConfig(path=str(path), format=_said(files, kind)), assumed)


def require_readable(path: Path) -> None:
    """Check that a path is that of a file or a folder.

    Raises:
        DataError: Nothing is there, or something else, such as a pipe; or it is no name that can be.
    """
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise DataError(
                f"{path}: a link to {path.readlink()}, and nothing is there\n  do: mend the link, or name another file"
            ) from None
        near = _nearest(path)
        do = f"did you mean {near}?" if near else "mend the path"
        raise DataError(f"{path}: there is no such file or folder\n  do: {do}") from None
    except PermissionError as error:
        raise DataError(f"{path}: its folder may not be opened\n  do: ask its owner for the right to it") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be opened: {error}\n  do: mend the path") from error
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(kind) else 0)):
        raise DataError(f"{path}: may not be read\n  do: ask its owner for the right to read it")
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise DataError(
            f"{path}: neither a file nor a folder, but a pipe or a device; data is read more than once\n"
            "  do: write it into a file first, and name that"
        )


def is_data(path: Path) -> bool:
    """Tell whether a file's name is one that data has, so that it counts among the files of a folder."""
    return path.name.lower().endswith(_SUFFIXES)


def _files(path: Path) -> list[Path]:
    require_readable(path)
    if path.is_file():
        return [path]
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and not _hidden(each, path)]
    data = list(filter(is_data, files))
    if not data:
        raise DataError(
            f"{path}: the folder holds no data ({len(files)} files, none ends in {', '.join(_SUFFIXES[:-2])})\n"
            "  do: name a file, or a folder with a folder of images for each class"
        )
    return data


def _nearest(path: Path) -> Path | None:
    folder = path.parent
    try:
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    except PermissionError:
        return None
    close = get_close_matches(path.name, names, n=1)
    return folder / close[0] if close else None


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(root).parts)


def _said(files: list[Path], kind: Format) -> Format | None:
    """Return the format where the files' names do not tell it."""
    return None if all(file.name.lower().endswith(_OF_INGEST[kind]) for file in files) else kind


def _encoding(files: list[Path]) -> str:
    found = {text_encoding(file): file for file in files}
    if len(found) > 1 and not set(found) <= {"utf-8"}:
        said = ", ".join(f"{file.name} is {encoding}" for encoding, file in found.items())
        raise DataError(f"{said}: one source has one encoding\n  do: write the files in the same encoding, best utf-8")
    return next(iter(found))


def _sniff_csv(path: Path, files: list[Path]) -> Sniffed:
    encoding = _encoding(files)
    text = head_text(files[0], encoding)
    try:
        dialect = find_dialect(text)
    except DataError as error:
        raise DataError(f"{files[0]}: {error}") from error
    columns = dialect.names if dialect.renamed else None
    if columns is not None and dialect.header:
        _require_same_header(files, encoding)
    source = SourceConfig(
        path=str(path),
        format=_said(files, "csv"),
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        encoding=encoding,
        header=dialect.header,
        columns=columns,
    )
    return Sniffed(source, dict(_assumed(source, dialect)))


def _require_same_header(files: list[Path], encoding: str) -> None:
    """Check that names which are given here, in place of the headers, are right for every file.

    Raises:
        DataError: The first lines of two files differ.
    """
    first, *others = ((file, head_text(file, encoding).splitlines()[0]) for file in files)
    for file, line in others:
        if line != first[1]:
            raise DataError(
                f"{file}: another header than {first[0].name} has, whose names are empty, repeated or padded\n"
                "  do: give the files the same header, each name once and without blanks around it"
            )


def _assumed(source: SourceConfig, dialect: Dialect) -> Iterator[tuple[str, str]]:
    if source.delimiter != ",":
        yield "delimiter", f"fields are parted by {_DELIMITERS[source.delimiter]}s"
    if source.quote != '"':
        yield "quote", "fields stand in single quotes"
    if source.encoding in {"cp1252", "latin-1"}:
        yield "encoding", f"no UTF-8; {source.encoding} is a guess, so look at letters with accents"
    elif source.encoding != "utf-8":
        yield "encoding", f"the text is {source.encoding}"
    if not dialect.header:
        yield "columns", "the file names no columns: rename them here and in the contract alike"
    elif dialect.renamed:
        yield "columns", "the header has empty, repeated or padded names, so they are given here"
