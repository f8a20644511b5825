"""The one order in which partial results are merged, whoever makes them and whenever each is ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Result = TypeVar("Result")


def joined_in_tree(leaves: Iterable[Result], join: Callable[[Result, Result], Result]) -> Result:
    """Join leaves, at least one, as a balanced binary tree in their order, like the carries of a binary counter.

    The tree depends on the number of leaves alone, and a leaf is joined as soon as its neighbour is there.
    """
    levels: list[tuple[int, Result]] = []
    for leaf in leaves:
        levels.append((0, leaf))
        while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
            (level, left), (_, right) = levels[-2:]
            levels[-2:] = [(level + 1, join(left, right))]
    _, joined = levels.pop()
    while levels:
        joined = join(levels.pop()[1], joined)
    return joined
