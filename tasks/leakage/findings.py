"""What the leakage check found, as it is written down."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "target-in-disguise",
    "target-in-nulls",
    "duplicates",
    "group-overlap",
    "after-now",
    "after-event",
    "train-after-test",
]
KINDS: tuple[str, ...] = get_args(Kind)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """One leak.

    Attributes:
        name: What `leakage.accept` calls it: the kind, a colon, and the column or the splits.
        columns: The columns concerned.
        measure: What was measured: a ROC-AUC, an R2 of ranks, or a share of rows or of groups.
        threshold: The largest measure that is no finding (for `target-in-*`: the least that is one).
        rows: The rows concerned, estimated where `exact` is false; for `target-in-*` the sampled rows it was judged by.
        exact: Every row was counted, not a sample.
        what: One sentence for people.
        examples: At most five, `***` in place of a value that the contract classifies.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...]
    measure: float
    threshold: float
    rows: int
    exact: bool
    what: str
    examples: tuple[str, ...] = ()


class Leaks(_Frozen):
    """Everything that the check has to say.

    Attributes:
        findings: In the order in which the kinds are listed, then by name.
        notes: What stops nothing: what could not be judged, and columns that look like groups.
        rows: Rows of the three splits.
        sampled: Training and validation rows that the features were judged by.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    rows: int
    sampled: int


def rounded(measure: float) -> float:
    """Round a measure to six digits, so that the last bits of a sum are no part of what is written."""
    return round(float(measure), 6)
