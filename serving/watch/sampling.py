"""Which rows are sampled: decided by the request's id, so that it is the same everywhere and can be told beforehand."""

from __future__ import annotations

from math import ceil
from random import Random
from zlib import crc32

import numpy as np

_IDS = 1 << 32
Rows = np.ndarray[tuple[int], np.dtype[np.int64]]


class RowSampling:
    """Chooses each row with the same probability, whatever the size of its request.

    Of the rows of a request every so manieth is taken, beginning where the id's CRC-32 says; a request without an id
    begins at random.

    Args:
        share: Of the rows, above 0 and at most 1.
        seed: Of the random beginnings.
    """

    def __init__(self, share: float, seed: int | None = None) -> None:
        self._step = 1 / share
        self._random = Random(seed).random  # noqa: S311

    def chosen(self, identity: str | None, rows: int) -> Rows | None:
        """Return the positions of the sampled rows, ascending; None where there are none.

        Args:
            identity: The request's id.
            rows: How many rows the request has.
        """
        begin = self._random() if identity is None else crc32(identity.encode(errors="surrogatepass")) / _IDS
        first = begin * self._step
        if first >= rows:
            return None
        count = ceil((rows - first) / self._step)
        chosen: Rows = np.floor(first + np.arange(count) * self._step).astype(np.int64)
        return chosen[chosen < rows]
