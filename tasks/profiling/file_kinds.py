"""What a file is by its first bytes, and how its text is encoded."""

from __future__ import annotations

import codecs
import gzip
import shlex
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.data.sources import Format
from tasks.errors import DataError

_HEAD = 1 << 16
_PIECE = 1 << 20
# As much as ingest holds of a file of CSV at once.
_LONGEST_LINE = 4 << 20
# Files that people do hand over, by how they begin: what they are, and what to do.
_FOREIGN = (
    (b"PK\x03\x04", "a ZIP archive, or an Excel workbook, which is one", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", "write the table as Parquet"),
    (b"BZh", "packed with bzip2", "unpack it, or pack it with gzip as NAME.csv.gz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it, or pack it with gzip as NAME.csv.gz"),
    (b"\xfd7zXZ", "packed with xz", "unpack it, or pack it with gzip as NAME.csv.gz"),
    (b"%PDF", "a PDF", "copy its table into a CSV file"),
    (b"FEA1", "Feather of version 1, which nothing writes any more", "write the table as Parquet"),
    (b"ORC", "an ORC file", "write the table as Parquet"),
    (b"\xff\xff\xff\xff", "Arrow's format for streams", "write it in Arrow's file format, or as Parquet"),
    *((magic, "an image", "name a folder that holds a folder of images for each class")
      for magic in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")),
    *((magic, "a page of HTML, such as a server sends in place of a file", "download the data itself")
      for magic in (b"<!DOCTYPE html", b"<!doctype html", b"<html")),
    (b"<?xml", "XML", "write the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run `git lfs pull`"),
)  # fmt: skip
# Where a tar archive says what it is.
_TAR = slice(257, 262)
_GZIP = b"\x1f\x8b"
# Bytes that Windows' western encoding gives no meaning.
_NOT_CP1252 = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})


def file_format(path: Path) -> Format:
    """Return what a file holds, by its content rather than its name.

    Raises:
        DataError: It cannot be opened, is empty, or is nothing that can be read, such as text in UTF-32.
    """
    head = _head(path)
    _require_no_utf32(path, head)
    tar = [(head, "a tar archive", "unpack it")] if head[_TAR] == b"ustar" else []
    for magic, what, do in (*_FOREIGN, *tar):
        if head.startswith(magic):
            raise DataError(f"{path}: {what}; expected CSV, Parquet, Arrow or JSON lines\n  do: {do}")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    if _encoding_by_mark(head) is None and b"\0" in head:
        raise DataError(
            f"{path}: binary data that is no Parquet and no Arrow (byte {head.index(0):,} is zero, which no text has); "
            "expected CSV, Parquet, Arrow or JSON lines\n"
            "  do: write the table as CSV or Parquet with the program that made it"
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"["):
        raise DataError(
            f"{path}: one JSON list; expected an object a line (JSON lines)\n"
            '  do: write it anew, for example `jq -c ".[]" in.json > out.jsonl`'
        )
    if start.startswith(b"{") and b'"' in start[:_HEAD]:
        return "jsonl"
    return "csv"


def text_encoding(path: Path) -> str:
    """Return the encoding of a file of text, by its mark or by trying it on every byte.

    Returns:
        `utf-8` (with or without a mark), `utf-16`, `utf-16-le`, `utf-16-be`, or else `cp1252` or `latin-1`, which
        western files that are no UTF-8 have.

    Raises:
        DataError: It cannot be read, or not be unpacked to its end.
    """
    marked = _encoding_by_mark(_head(path))
    if marked is not None:
        return marked
    decoder = codecs.getincrementaldecoder("utf-8")()
    seen: set[int] = set()
    utf8 = True
    for piece in pieces(path):
        if utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                utf8 = False
        seen |= set(piece) & _NOT_CP1252
    if utf8:
        return "utf-8"
    return "latin-1" if seen else "cp1252"


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a file's content, unpacked, a mebibyte at a time.

    Raises:
        DataError: It cannot be read, or not be unpacked to its end.
    """
    with _named_failures(path), gzip.open(path) if _packed(path) else path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def head_text(path: Path, encoding: str) -> str:
    """Return the whole lines at the beginning of a file of text; the whole text of a short one.

    Raises:
        DataError: The first line is longer than four mebibytes.
    """
    for size in (4 * _HEAD, _LONGEST_LINE):
        head = _head(path, size)
        text = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="ignore").removeprefix("\ufeff")
        if len(head) < size:
            return text
        if end := max(text.rfind("\n"), text.rfind("\r")) + 1:
            return text[:end]
    raise DataError(
        f"{path}: the first line does not end within {_LONGEST_LINE >> 20} MB\n"
        "  do: write a record on each line, with line breaks between them"
    )


def _head(path: Path, size: int = _HEAD) -> bytes:
    with _named_failures(path):
        with path.open("rb") as file:
            head = file.read(size)
        if head.startswith(_GZIP):
            _require_named_gz(path)
            with gzip.open(path) as unpacked:
                head = unpacked.read(size)
    if not head.strip(b"\xef\xbb\xbf \t\r\n\0"):
        raise DataError(f"{path}: the file is empty\n  do: write it again, or name another")
    return head


@contextmanager
def _named_failures(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except PermissionError as error:
        raise DataError(
            f"{path}: may not be read\n  do: ask its owner, or run `chmod u+r {shlex.quote(str(path))}`"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read to its end: {error}\n  do: copy or write the file again") from error


def _require_named_gz(path: Path) -> None:
    if path.suffix != ".gz":
        raise DataError(f"{path}: packed with gzip, and its name does not say so\n  do: rename it to {path.name}.gz")


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _require_no_utf32(path: Path, head: bytes) -> None:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DataError(f"{path}: the text is in UTF-32\n  do: save it as UTF-8")


def _encoding_by_mark(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    odd, even = head[1::2], head[::2]
    # Western text in UTF-16 has a zero in every other byte.
    if odd and odd.count(0) > 0.6 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even and even.count(0) > 0.6 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None
