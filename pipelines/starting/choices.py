"""Choices that the size and the kind of the data suggest: split, model, metric, gates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tasks.data.split import SplitConfig
from tasks.profiling.roles import Roles
from tasks.profiling.targets import Guess

# Below so many rows the default leaves of a tree would be coarse.
_SMALL = 2_000
_RARE = 0.05
_TEST = 0.15


@dataclass(frozen=True)
class Choices:
    """What is chosen, each with its reason.

    Attributes:
        split: How rows are split.
        keep_equal: Why equal rows all stay; None where one of them does.
        min_count: Rows that a category needs; None for the default.
        whole_range: Numbers keep their whole training range.
        keep: Columns that features carry along.
        model: The value of `train.model` as YAML.
        slack: The loss against the champion that is still good enough.
    """

    split: SplitConfig
    split_why: str
    keep_equal: str | None
    min_count: int | None
    whole_range: bool
    keep: tuple[str, ...]
    model: str
    model_why: str
    metric: str
    floor: float
    floor_why: str
    slack: float


def choose(guess: Guess, roles: Roles, rows: int, equal: int = 0) -> Choices:
    """Choose by what is known of the data.

    Args:
        guess: What is predicted.
        roles: What the columns are for.
        rows: Rows with a target.
        equal: Rows that repeat another one in every column.
    """
    split, why = _split(roles, rows)
    model, model_why = _model(rows)
    metric, floor, floor_why, slack = _gate(guess, rows)
    keep_equal = None
    if roles.key is None and equal > 0.05 * rows:
        keep_equal = f"{equal:,} of {rows:,} rows repeat another; without a key they are taken for events of their own"
    grouped = (split.column,) if split.method == "group" and split.column is not None else ()
    return Choices(
        split=split,
        split_why=why,
        keep_equal=keep_equal,
        min_count=max(2, rows // 200) if rows < 4_000 else None,
        whole_range=rows < 2_000,
        keep=grouped,
        model=model,
        model_why=model_why,
        metric=metric,
        floor=floor,
        floor_why=floor_why,
        slack=slack,
    )


def _split(roles: Roles, rows: int) -> tuple[SplitConfig, str]:
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2} if rows < 1_000 else {}
    if roles.group is not None:
        return SplitConfig(method="group", column=roles.group[0], **shares), roles.group[1]
    if roles.time is not None:
        return SplitConfig(method="time", column=roles.time[0], **shares), roles.time[1]
    if roles.key is not None:
        return SplitConfig(method="key", **shares), f"by a hash of `{roles.key}`: a row never changes its part"
    return SplitConfig(method="row", **shares), "no column names the rows: by a hash of the row, equal rows together"


def _model(rows: int) -> tuple[str, str]:
    if rows < _SMALL:
        leaf = max(3, rows // 100)
        return (
            f"{{name: trees, min_rows: {leaf}}}",
            f"quick; {rows:,} rows allow small leaves; `auto` tries more models",
        )
    return "trees", f"quick, and hard to beat on tables of {rows:,} rows; `auto` tries more models"


def _gate(guess: Guess, rows: int) -> tuple[str, float, str, float]:
    """Return the metric, its floor above what a baseline reaches by chance, the reason, and the slack."""
    test = max(5.0, _TEST * rows)
    if guess.problem == "regression":
        floor = _bounded(2 / math.sqrt(test), 0.05, 0.2)
        return "r2", floor, "the mean reaches 0; what is better than chance is above this", 0.02
    if guess.problem == "multilabel":
        return "roc_auc", 0.55, "guessing reaches 0.5", 0.02
    counts = sorted(guess.counts.values())
    rarest = counts[0] / sum(counts)
    if guess.problem == "binary" and rarest < _RARE:
        floor = min(0.9, _shortened(2 * rarest))
        return "average_precision", floor, f"guessing reaches {rarest:.3f}, the share of the rare class", 0.02
    noise = math.sqrt(1 / (3 * test * max(rarest, 1 / test)))
    if guess.problem == "binary":
        return "roc_auc", _bounded(0.5 + noise, 0.55, 0.7), "guessing reaches 0.5, and by luck a little more", 0.02
    if counts[0] * _TEST >= 5:
        share = 1 / len(counts)
        floor = _bounded(share + 2 * math.sqrt(share * (1 - share) / test), 1.2 * share, 0.9)
        return "balanced_accuracy", floor, f"guessing reaches {share:.2f}; classes count alike, rare or not", 0.03
    most = counts[-1] / sum(counts)
    floor = _bounded(most + math.sqrt(most * (1 - most) / test), most, max(most, 0.95))
    return "accuracy", floor, f"the commonest class reaches {most:.2f}; the rarest may be missing from the test", 0.03


def _bounded(value: float, least: float, most: float) -> float:
    return _shortened(min(max(value, least), most))


def _shortened(value: float) -> float:
    return round(value, 3 if value < 0.1 else 2)
