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
# A floor stands so many standard errors above chance: pure noise passes it once in a thousand runs.
_ERRORS = 3.0
# What a rare class's average precision reaches by luck in one run of a hundred: one row of it at the very top.
_LUCK = 0.01


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

    Rows of one group say partly the same: chance is measured by a number between that of the groups and the rows.

    Args:
        guess: What is predicted.
        roles: What the columns are for.
        rows: Rows with a target.
        equal: Rows that repeat another one in every column.
    """
    split, why = _split(roles, rows)
    model, model_why = _model(rows)
    metric, floor, floor_why, slack = _gate(guess, round(math.sqrt(rows * min(rows, roles.groups or rows))))
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
    test = max(5.0, (0.2 if rows < 1_000 else _TEST) * rows)
    if guess.problem == "regression":
        floor = _bounded(2 / math.sqrt(test), 0.05, 0.2)
        return "r2", floor, "the mean reaches 0; what is better than chance is above this", 0.02
    if guess.problem == "multilabel":
        floor = _bounded(0.5 + _ERRORS * math.sqrt(1 / (12 * test * 0.25 * len(guess.targets))), 0.55, 0.7)
        return "roc_auc", floor, "guessing reaches 0.5, and by luck a little more", 0.02
    counts = sorted(guess.counts.values())
    rarest = counts[0] / sum(counts)
    if guess.problem == "binary" and rarest < _RARE:
        floor = _bounded(rarest + 1 / (_LUCK * test), 2 * rarest, 0.3)
        why = f"guessing reaches {rarest:.3f}, the share of the rare class, and by luck nearly this"
        return "average_precision", floor, why, 0.02
    if guess.problem == "binary":
        # The variance of a ROC-AUC that knows nothing (Hanley and McNeil, 1982).
        noise = _ERRORS * math.sqrt(1 / (12 * test * rarest * (1 - rarest)))
        return "roc_auc", _bounded(0.5 + noise, 0.55, 0.7), "guessing reaches 0.5, and by luck nearly this", 0.02
    if counts[0] * _TEST >= 5:
        share = 1 / len(counts)
        each = sum(sum(counts) / count for count in counts) / len(counts)
        error = math.sqrt(share * (1 - share) * each / test / len(counts))
        floor = _bounded(share + _ERRORS * error, 1.2 * share, (1 + share) / 2)
        why = f"guessing reaches {share:.2f}, and by luck a little more; classes count alike, rare or not"
        return "balanced_accuracy", floor, why, 0.03
    most = counts[-1] / sum(counts)
    floor = _bounded(most + _ERRORS * math.sqrt(most * (1 - most) / test), most, (1 + most) / 2)
    return "accuracy", floor, f"the commonest class reaches {most:.2f}; the rarest may be missing from the test", 0.03


def _bounded(value: float, least: float, most: float) -> float:
    return _shortened(min(max(value, least), most))


def _shortened(value: float) -> float:
    return round(value, 3 if value < 0.1 else 2)
