"""How many bytes things take, where files may have several names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.retention.items import Item


def sizes(items: Sequence[Item], *, partly: bool) -> list[int]:
    """Return the bytes of each item; a file with several names counts once, for the last of them.

    Args:
        items: Things of one home.
        partly: Whether a file counts that has names elsewhere too. To remove the names here would not free it.
    """
    names = Counter(entry.inode for item in items for entry in item.entries if entry.inode)
    seen: Counter[tuple[int, int, int]] = Counter()
    found = []
    for item in items:
        size = 0
        for entry in item.entries:
            if entry.inode is not None:
                seen[entry.inode] += 1
                last = seen[entry.inode] == names[entry.inode]
                if not last or not (partly or names[entry.inode] == entry.inode[2]):
                    continue
            size += entry.size
        found.append(size)
    return found
