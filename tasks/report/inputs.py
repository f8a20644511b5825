"""What a report is made from: plain values, so that it does not depend on how the other pieces store theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from tasks.report.plots import Line


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateLine(_Frozen):
    """One gate: what it measured against its bound.

    Attributes:
        name: Such as `floor roc_auc`.
        comparison: How the measured value must stand to the bound.
        measured: None where there was nothing to measure, such as a gain without a champion.
        note: What a number cannot say.
    """

    name: str
    passed: bool
    comparison: Literal[">=", "<="]
    bound: float
    measured: float | None = None
    note: str | None = None

    @property
    def margin(self) -> float | None:
        """By how much the gate held, negative by how much it did not; None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured - self.bound if self.comparison == ">=" else self.bound - self.measured


class RuleLine(_Frozen):
    """One rule of the contract, judged.

    Attributes:
        examples: Values that broke it, already masked where the column is classified.
    """

    id: str
    kind: str
    expected: str
    observed: str
    passed: bool
    severity: Literal["error", "warning"] = "error"
    examples: tuple[str, ...] = ()


class Accounting(_Frozen):
    """Where every row went: `rows_in = kept + sum(quarantined) + duplicates + dropped_nulls + without_target`.

    Attributes:
        kept: Rows that reached a split.
        quarantined: Rows by the id of the rule that each was quarantined for.
        duplicates: Rows equal to one before them.
        dropped_nulls: Rows that lack a value which the config wants every row to have.
        without_target: Rows that keep the contract but are in no split: there is nothing to learn from them.
        splits: The kept rows by split.
    """

    rows_in: NonNegativeInt
    kept: NonNegativeInt
    quarantined: Mapping[str, NonNegativeInt]
    duplicates: NonNegativeInt
    dropped_nulls: NonNegativeInt = 0
    without_target: NonNegativeInt = 0
    splits: Mapping[str, NonNegativeInt]

    @property
    def in_quarantine(self) -> int:
        """Rows quarantined for whatever reason."""
        return sum(self.quarantined.values())

    @property
    def left_out(self) -> dict[str, int]:
        """Rows that are neither kept nor in quarantine, by why."""
        return {
            "duplicates": self.duplicates,
            "dropped for nulls": self.dropped_nulls,
            "without a target": self.without_target,
        }

    @model_validator(mode="after")
    def _reconcile(self) -> Accounting:
        """A report that showed totals which do not add up would hide lost rows."""
        found = self.kept + self.in_quarantine + sum(self.left_out.values())
        if found != self.rows_in:
            raise ValueError(f"{self.rows_in} rows came in but {found} are accounted for")
        if sum(self.splits.values()) != self.kept:
            raise ValueError(f"{self.kept} rows were kept but the splits hold {sum(self.splits.values())}")
        return self


class Curves(_Frozen):
    """The points of the curves of the test split: for each class its xs and ys."""

    roc: Mapping[str, Line] = {}
    precision_recall: Mapping[str, Line] = {}
    calibration: Mapping[str, Line] = {}

    @classmethod
    def of_classes(cls, classes: Sequence[Mapping[str, Any]]) -> Curves:
        """Take what `tasks.evaluation.curves.curves` returns, one record for each class."""
        named = {str(one["class"]): one for one in classes}
        return cls(
            roc={
                name: (one["roc"]["false_positive_rate"], one["roc"]["true_positive_rate"])
                for name, one in named.items()
            },
            precision_recall={name: (one["pr"]["recall"], one["pr"]["precision"]) for name, one in named.items()},
            calibration={
                name: (one["calibration"]["predicted"], one["calibration"]["observed"]) for name, one in named.items()
            },
        )


class History(_Frozen):
    """How the loss went: steps and losses of training and validation, and the step whose network was kept."""

    training: Line
    validation: Line
    best_step: int | None = None

    @classmethod
    def of_rounds(cls, rounds: Sequence[Mapping[str, float]], best_round: int) -> History:
        """Take a checkpoint's history (`tasks.training.selection.Selection.history`) and its best round, from 1."""
        steps = [one["steps"] for one in rounds]
        return cls(
            training=(steps, [one["train_loss"] for one in rounds]),
            validation=(steps, [one["log_loss"] for one in rounds]),
            best_step=int(steps[best_round - 1]),
        )


class ReportInputs(_Frozen):
    """Everything a report shows.

    Attributes:
        version: The candidate's version in the model store.
        champion_version: The champion after this run, None where there is none.
        headline: The metric named first, such as `roc_auc`.
        metrics: For `test`, `champion` (where there is one) and each baseline: metric and value. The champion's are
            those it was promoted with.
        confusion: Rows of the test split, by actual class (outer) and predicted class (inner).
        certificate: The parity certificate, as nested plain values.
        latency: Milliseconds for each measured case, such as `{"batch 1, p50": 0.2}`.
        lineage: Where all of it came from: names and values in groups (`contract`, `data`, `config`, `libraries`).
    """

    model: str
    version: str | int | None
    promoted: bool
    champion_version: str | int | None = None
    headline: str
    metrics: Mapping[str, Mapping[str, float]]
    gates: tuple[GateLine, ...]
    accounting: Accounting
    rules: tuple[RuleLine, ...]
    history: History
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    curves: Curves
    certificate: Mapping[str, Any]
    latency: Mapping[str, float]
    lineage: Mapping[str, Mapping[str, Any]]

    @model_validator(mode="after")
    def _agree(self) -> ReportInputs:
        """A version is promoted exactly when every gate holds, so that a report never contradicts itself."""
        refused = [gate.name for gate in self.gates if not gate.passed]
        if self.promoted == bool(refused):
            raise ValueError(f"promoted is {self.promoted}, and these gates refused: {', '.join(refused) or 'none'}")
        return self
