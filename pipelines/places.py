"""Where the files lie that a config names."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.storage import beside, is_remote


def place_beside(folder: Path, path: str) -> str:
    """Return the place of what a config names, as messages show it: without `..`, where that is the same place.

    Args:
        folder: The config's.
        path: Relative to it, absolute, or a URI.
    """
    found = beside(folder, path)
    return str(found if is_remote(found) else _without_steps_back(found))


def _without_steps_back(path: Path) -> Path:
    """Return a path without `..`; the same path where one of these leads out of a link, and so beside its target."""
    here = Path(path.anchor)
    for part in path.parts[len(here.parts) :]:
        if part == os.pardir and here.is_symlink():
            return path
        here = here.parent if part == os.pardir else here / part
    return here
