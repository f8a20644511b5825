"""What one run of a model costs, learned from the runs themselves."""

from __future__ import annotations

_SIZES = 32
# How many times the largest known run a line is believed.
_FAR = 8
# An estimate falls fast and rises slowly: a cold first run or a moment without the processor is soon forgotten, while a
# model that really became slower is believed after some runs.
_FALL, _RISE, _MOST_RISE = 0.5, 0.1, 3.0


class RunCost:
    """Running estimates of the processor time of a run, for each power of two of rows.

    Args:
        first: Seconds that a run of one row took when the model was warmed up; 0 where nothing is known.
    """

    def __init__(self, first: float = 0.0) -> None:
        self._per_row = [0.0] * _SIZES
        if first > 0:
            self.learn(1, first)

    def expected(self, rows: int) -> float:
        """Return the seconds that a run of so many rows will take; 0 while nothing is known.

        A size that was never run is taken to cost as much per row as the nearest smaller one, which is too much rather
        than too little.
        """
        known = self._per_row[rows.bit_length()]
        return (known or self._nearest(rows.bit_length())) * rows

    def least(self, rows: int) -> float:
        """Return the seconds of a run of so many rows, rather too few than too many; 0 while nothing is known.

        Nobody may be refused for a wait that was never measured. Beyond the sizes that were run, the straight line
        through the two largest of them goes on, but not far: noise would grow with it. While only one is known, a
        larger run is taken to cost as much.
        """
        size = rows.bit_length()
        # Asked for every request, and no generator is as quick as this.
        for known in self._per_row[size:]:
            if known:
                return known * rows
        below = [(1 << each >> 1, known) for each, known in enumerate(self._per_row[:size]) if known][-2:]
        if not below:
            return 0.0
        at, cost = below[-1][0], below[-1][0] * below[-1][1]
        if len(below) == 1:
            return cost
        slope = (cost - below[0][0] * below[0][1]) / (at - below[0][0])
        return cost + max(slope, 0.0) * (min(rows, _FAR * at) - at)

    def learn(self, rows: int, seconds: float) -> None:
        """Take in what one run took."""
        size, per_row = rows.bit_length(), seconds / rows
        known = self._per_row[size]
        if not known:
            self._per_row[size] = per_row
        elif per_row < known:
            self._per_row[size] = known + _FALL * (per_row - known)
        else:
            self._per_row[size] = known + _RISE * (min(per_row, _MOST_RISE * known) - known)

    def _nearest(self, size: int) -> float:
        below = (known for known in reversed(self._per_row[:size]) if known)
        return next(below, 0.0) or next((known for known in self._per_row[size:] if known), 0.0)
