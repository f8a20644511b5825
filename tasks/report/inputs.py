"""What a report is made from: plain values, so that it does not depend on how the other pieces store theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from tasks.report.evaluated import Evaluated
from tasks.report.groups import Explained, Sliced
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
        splits: The kept rows by split; empty where the run ended before there were any.
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
        if self.splits and sum(self.splits.values()) != self.kept:
            raise ValueError(f"{self.kept} rows were kept but the splits hold {sum(self.splits.values())}")
        return self


class History(_Frozen):
    """How training went: steps with the loss, steps with a metric of the validation split, and what was kept.

    Attributes:
        training: Nothing where the loss is not in the metric's unit.
        metric: The metric's name.
        best_step: The step whose model was kept.
    """

    training: Line
    validation: Line
    metric: str = "log_loss"
    best_step: int | None = None

    @classmethod
    def of_rounds(cls, rounds: Sequence[Mapping[str, float]], best_round: int, metric: str = "log_loss") -> History:
        """Take a checkpoint's history (`tasks.models.checkpoint.read_history`) and its best round, from 1."""
        steps = [one["steps"] for one in rounds]
        like = metric == "log_loss" and all("train_loss" in one for one in rounds)
        return cls(
            training=(steps, [one["train_loss"] for one in rounds]) if like else ([], []),
            validation=(steps, [one[metric] for one in rounds]),
            metric=metric,
            best_step=int(steps[best_round - 1]) if steps else None,
        )


class CrossValidated(_Frozen):
    """What cross-validation found.

    Attributes:
        said: How many folds of which kind, in a sentence.
        metrics: For each metric its mean, its deviation, and its value in each fold.
    """

    said: str
    metrics: Mapping[str, tuple[float, float, tuple[float, ...]]]


class ReportInputs(_Frozen):
    """Everything a report shows.

    Attributes:
        version: The candidate's version in the model store.
        champion_version: The champion after this run, None where there is none.
        evaluated: How good the model is.
        cross_validated: None where there was no cross-validation.
        sliced: How good it is on parts of the test split; None for images.
        explained: What it looks at; None where that was not asked for.
        certificate: The parity certificate, as nested plain values.
        latency: Milliseconds for each measured case, such as `{"batch 1, p50": 0.2}`.
        lineage: Where all of it came from: names and values in groups (`contract`, `data`, `config`, `libraries`).
        documents: The page of Data Docs to open first, relative to the report; None where there are none.
    """

    model: str
    version: str | int | None
    promoted: bool
    champion_version: str | int | None = None
    evaluated: Evaluated
    cross_validated: CrossValidated | None = None
    sliced: Sliced | None = None
    explained: Explained | None = None
    gates: tuple[GateLine, ...]
    accounting: Accounting
    rules: tuple[RuleLine, ...]
    history: History
    certificate: Mapping[str, Any]
    latency: Mapping[str, float]
    lineage: Mapping[str, Mapping[str, Any]]
    documents: str | None = None

    @model_validator(mode="after")
    def _agree(self) -> ReportInputs:
        """A version is promoted exactly when every gate holds, so that a report never contradicts itself."""
        refused = [gate.name for gate in self.gates if not gate.passed]
        if self.promoted == bool(refused):
            raise ValueError(f"promoted is {self.promoted}, and these gates refused: {', '.join(refused) or 'none'}")
        return self


class EarlyInputs(_Frozen):
    """What the report shows of a run that ended before there was a model.

    Attributes:
        verdict: Such as `contract broken`.
        message: The whole error: what, where, and what to do.
        accounting: Where the rows went as far as the run came.
        documents: As in `ReportInputs`.
    """

    pipeline: str
    verdict: str
    message: str
    accounting: Accounting
    rules: tuple[RuleLine, ...]
    documents: str | None = None
