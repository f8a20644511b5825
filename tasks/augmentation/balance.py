"""How many rows of each class the training split shall have."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, model_validator

from tasks.augmentation.classes import ByClass, by_index, class_text
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.targets import ClassTarget

Counts = NDArray[np.int64]
Method = Literal["none", "over", "under", "smote", "smotenc", "adasyn"]
INTERPOLATING: frozenset[Method] = frozenset({"smote", "smotenc", "adasyn"})

_KEY = "augment.balance.ratio"


class BalanceConfig(BaseModel):
    """How the classes of the training split are balanced.

    Attributes:
        method: `over` repeats rows, `under` leaves rows out, `smote`, `smotenc` (with categories) and `adasyn` add
            rows between neighbours of one class; `none` leaves the classes as they are.
        ratio: `auto` makes all classes as frequent as the most frequent one (`under`: the least frequent one). Else
            the share of the balanced rows that each named class shall have; classes that are not named keep theirs.
        neighbors: How many nearest neighbours of its class a row may be interpolated with.
        seed: Decides which rows are repeated, left out and interpolated.
        max_rows: The most rows that an interpolating method may hold in memory at once: the training rows of the
            classes that it adds to (`adasyn`: of all classes) and the new rows of one class. Finding neighbours takes
            time that grows with the square of a class's rows in the worst case: minutes for 50,000 with `smotenc`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "none"
    ratio: Literal["auto"] | ByClass = "auto"
    neighbors: PositiveInt = 5
    seed: NonNegativeInt = 0
    max_rows: PositiveInt = 200_000

    @model_validator(mode="after")
    def _sound(self) -> BalanceConfig:
        if self.ratio == "auto":
            return self
        if not self.ratio:
            raise ValueError("ratio must name at least one class with its share, or be `auto`")
        if sum(self.ratio.values()) > 1 + 1e-9:
            raise ValueError(f"ratio holds shares of all rows; together at most 1, got {sum(self.ratio.values()):g}")
        return self


def planned_rows(counts: Counts, config: BalanceConfig, target: ClassTarget) -> Counts:
    """Return how many rows each class shall have.

    Args:
        counts: int64 [C], the rows that it has.
        config: What is asked for.
        target: Names the classes, in the order of `counts`.

    Raises:
        ConfigError: A class is unknown, or the method cannot reach its share.
        TrainingError: A class has no row (left).
    """
    if config.method == "none":
        return counts
    absent = np.flatnonzero(counts == 0)
    if len(absent):
        names = ", ".join(class_text(target.classes[place]) for place in absent[:5])
        raise TrainingError(
            f"augment.balance: {len(absent)} classes of `{target.column}` have no row in the training split ({names})\n"
            "  do: bring rows of them, or set augment.balance.method to none"
        )
    if config.ratio == "auto":
        return np.full_like(counts, counts.min() if config.method == "under" else counts.max())
    shares = by_index(config.ratio, target, _KEY)
    wanted = _reached(counts, shares, config, target)
    for place in shares:
        _require_reachable(place, counts, wanted, config, target)
    return wanted


def _reached(counts: Counts, shares: dict[int, float], config: BalanceConfig, target: ClassTarget) -> Counts:
    places = np.asarray(sorted(shares))
    share = np.asarray([shares[place] for place in places])
    left = 1 - float(share.sum())
    wanted = counts.copy()
    if len(places) == len(counts):
        if abs(left) > 1e-9:
            raise ConfigError(
                f"{_KEY}: the shares of all {len(counts)} classes of `{target.column}` add up to {share.sum():g}\n"
                "  do: make them add up to 1, or leave out the classes that shall keep their rows"
            )
        each = counts[places] / share
        total = each.min() if config.method == "under" else each.max()
    elif left < 1e-9:
        raise ConfigError(
            f"{_KEY}: the named classes would be all rows, and `{target.column}` has "
            f"{len(counts) - len(places)} more\n  do: name every class, or lower the shares"
        )
    else:
        total = np.delete(counts, places).sum() / left
    wanted[places] = np.rint(total * share).astype(np.int64)
    return wanted


def _require_reachable(place: int, counts: Counts, wanted: Counts, config: BalanceConfig, target: ClassTarget) -> None:
    under = config.method == "under"
    if (wanted[place] > counts[place]) if under else (wanted[place] < counts[place]):
        more, other = ("more", "over") if under else ("fewer", "under")
        raise ConfigError(
            f"{_KEY}: class `{class_text(target.classes[place])}` has {counts[place]} rows and would need {more}, "
            f"{wanted[place]}, which method `{config.method}` cannot give\n"
            f"  do: give it another share (now {counts[place] / counts.sum():.3g}), or take method `{other}`"
        )
    if wanted[place] == 0:
        raise ConfigError(
            f"{_KEY}: class `{class_text(target.classes[place])}` would have no row left\n  do: give it a larger share"
        )
