"""Lists of a Prefect server, which gives them a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")

# The most that the server gives at once.
_PAGE = 200


def every(read: Callable[..., Sequence[Item]], **asked: Any) -> Iterator[Item]:
    """Read a list to its end.

    Args:
        read: A method of Prefect's client that takes `limit` and `offset`.
        asked: What else it takes: filters, and the order.
    """
    offset = 0
    while page := read(**asked, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)
