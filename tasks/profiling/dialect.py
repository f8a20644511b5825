"""How a CSV file is written: its delimiter, its quotes, whether it has a header, and what its columns are called."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from tasks.errors import DataError

# In the order of preference among equals.
_DELIMITERS = (",", ";", "\t", "|")
_QUOTES = ('"', "'")
_ROWS = 200
_NUMBER = re.compile(r"^[+-]?(?:[0-9]+(?:[.,' ][0-9]+)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?%?$")
_DATE = re.compile(r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?$")
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        names: What the columns are called: each once, none empty.
        renamed: Whether these are not the header's own words.
    """

    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...]
    renamed: bool


def find_dialect(text: str) -> Dialect:
    """Find how a CSV file is written by its first rows.

    Args:
        text: Whole lines from the beginning of the file, not blank.

    Raises:
        DataError: The first line has not as many fields as most.
    """
    quote = _quote(text)
    delimiter = max(_DELIMITERS, key=lambda each: _evenness(_rows(text, each, quote)))
    rows = _rows(text, delimiter, quote)
    first = rows[0]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if len(first) != width:
        raise DataError(
            f"the first line has {_fields(len(first))}, and most lines have {_fields(width)}\n"
            "  do: remove what stands above the header, or give the header a name for every column"
        )
    header = _has_header(rows)
    names = _distinct(first) if header else tuple(f"column_{number}" for number in range(1, len(first) + 1))
    return Dialect(delimiter, quote, header, names, renamed=not header or list(names) != list(first))


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"


def _rows(text: str, delimiter: str, quote: str) -> Rows:
    # Lines may end as Windows, Unix or old Macs end them, also within one file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    # A field too long for the reader has most likely a quote that is never closed: what stands above it is enough.
    with suppress(csv.Error):
        rows.extend(row for row in islice(reader, _ROWS) if row)
    return rows or [[text]]


def _evenness(rows: Rows) -> tuple[float, int]:
    """Return how many of the rows have the commonest width, and that width; one column separates nothing."""
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return (count / len(rows), width) if width > 1 else (0.0, 1)


def _quote(text: str) -> str:
    quoted = {quote: len(re.findall(rf"(?:^|[,;\t|]){quote}[^{quote}\n]*{quote}(?=[,;\t|\r\n]|$)", text, re.MULTILINE))
              for quote in _QUOTES}  # fmt: skip
    return "'" if quoted["'"] > 2 and not quoted['"'] else '"'


def _has_header(rows: Rows) -> bool:
    """Tell whether the first row names the columns: names are no numbers, and do not come again below."""
    first, below = [cell.strip() for cell in rows[0]], rows[1:]
    told = [cell for cell in first if cell]
    if not told:
        return False
    if _counted(first):
        return bool(below)
    values = [cell for cell in told if _NUMBER.match(cell) or _DATE.match(cell)]
    if 2 * len(values) >= len(told):
        # Years may name columns, but then the first of them is named by a word.
        return bool(below) and not _NUMBER.match(first[0]) and len(set(told)) == len(told) and _years(values)
    columns = [[row[place].strip() for row in below if place < len(row)] for place in range(len(first))]
    if any(cell not in {"", *values} and column and all(map(_NUMBER.match, filter(None, column))) and any(column)
           for cell, column in zip(first, columns, strict=True)):  # fmt: skip
        # One cell may stand for a number that is not known; among numbers, words above numbers are names.
        return not values or _years(values) or 4 * len(values) < len(told)
    if values and not _years(values):
        return False
    again = sum(cell in column for cell, column in zip(first, columns, strict=True) if cell)
    return 2 * again < len(told)


def _counted(first: Sequence[str]) -> bool:
    """Tell whether the first row counts the columns from 0, as pandas does for columns that have no names."""
    numbers = first[1:] if first[0] == "" else first
    return len(numbers) > 2 and list(numbers) == [str(place) for place in range(len(numbers))]


def _years(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"(?:19|20)[0-9]{2}", value.strip()) for value in values)


def _distinct(header: Sequence[str]) -> tuple[str, ...]:
    """Return names without blanks around them; an empty one is called by its place, a second one numbered.

    `{partition}` means something else in a config, so it loses its braces.
    """
    taken: set[str] = set()
    names = []
    for number, cell in enumerate(header, start=1):
        name = " ".join(cell.replace("{partition}", "partition").split()) or f"column_{number}"
        again, base = 1, name
        while name in taken:
            again += 1
            name = f"{base}_{again}"
        taken.add(name)
        names.append(name)
    return tuple(names)
