"""A quote that is opened in a CSV file and never closed: the parser takes all that follows for one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from tasks.data.sources import SourceConfig, SourceFile
from tasks.errors import DataError

# What may stand behind the last quote of a file.
_ENDS = b"\r\n\0 \t\x1a"


@dataclass
class LastRow:
    """The last row of a CSV file, as far as it was read.

    Attributes:
        column: The file's last column; None where it is not read.
        rows: Rows so far, broken ones left out.
        text: The last value of the last of them, where it is read.
    """

    column: str | None
    rows: int = 0
    text: str = ""

    def watched(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches, and keep what the last one ends with."""
        for batch in batches:
            if batch.num_rows:
                self.rows += batch.num_rows
                self.text = "" if self.column is None else batch[self.column][-1].as_py() or ""
            yield batch


def require_closed(
    file: SourceFile, source: SourceConfig, row: int, text: str, pieces: Iterable[bytes]
) -> None:  # fmt: skip
    """Check that the last value of a file, if it holds line breaks, is one that a quote ends.

    Args:
        file: The file.
        source: How it is read.
        row: The number of its last row, from 1.
        text: That row's last value, or its whole text if it is broken.
        pieces: The file's bytes, unpacked; read only if the value holds line breaks.

    Raises:
        DataError: No quote ends it, so lines that were no part of it were lost in it.
    """
    lines = len(text.rstrip("\r\n").splitlines())
    if "\n" not in text and "\r" not in text:
        return
    end = b""
    for piece in pieces:
        end = (end + piece)[-64:]
    if end.rstrip(_ENDS).endswith(source.quote.encode()):
        return
    raise DataError(
        f"{file.name}: a quote is opened in row {row:,} and never closed, so {lines:,} lines are read as "
        f"one value\n  do: close it, or name in `source.quote` a sign that stands in no value"
    )
