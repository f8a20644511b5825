"""Files of an image source: which there are, what they are called, and which group a name says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import storage
from tasks.errors import DataError


@dataclass(frozen=True)
class GroupRule:
    """How a file's name says the group of its images.

    Attributes:
        pattern: A regular expression with one group; None where names say nothing.
    """

    pattern: str | None

    def of(self, name: str) -> str | None:
        """Return the group that a name says, None where it says none."""
        found = re.search(self.pattern, name) if self.pattern is not None else None
        return found.group(1) if found else None


def files_below(path: str, suffixes: Sequence[str] | None = None) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and the files in the order of their names.

    Args:
        path: A file or a folder, or the URI of one. Names in a folder that begin with `.` or `_` are no data.
        suffixes: What a file's name must end in, lower case; any by default.

    Raises:
        DataError: Nothing is there.
    """
    place = storage.place(path).absolute()
    if place.is_file():
        return place.parent, [place]
    if not place.is_dir():
        raise DataError(f"source {path}: there is no such file or folder\n  do: mend `source.path`")
    files = [
        file
        for file in storage.files_below(place)
        if not any(part.startswith((".", "_")) for part in file.relative_to(place).parts)
        and (suffixes is None or file.name.lower().endswith(tuple(suffixes)))
    ]
    if not files:
        wanted = "" if suffixes is None else f" that ends in {', '.join(suffixes)}"
        raise DataError(f"source {path}: no file{wanted} is there\n  do: mend `source.path` or `source.format`")
    return place, files
