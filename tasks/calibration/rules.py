"""Rules by which a threshold is chosen; each is a config class that says what it wants most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from tasks.calibration.truth import Booleans, Floats

Threshold = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Outcomes:
    """What each of T thresholds would have given, from the highest to the lowest.

    Attributes:
        thresholds: float64 `[T]`, numbers that float32 holds; a record is called positive from there on.
        hits: Positive rows that are called positive, float64 `[T]`.
        alarms: Negative rows that are called positive, float64 `[T]`.
        positives: Rows in all, at least one.
        negatives: Rows in all, at least one.
    """

    thresholds: Floats
    hits: Floats
    alarms: Floats
    positives: int
    negatives: int

    @property
    def precision(self) -> Floats:
        """Share of the rows called positive that are; 0 where none is called so."""
        return self.hits / np.maximum(self.hits + self.alarms, 1)

    @property
    def recall(self) -> Floats:
        """Share of the positive rows that are called so."""
        return self.hits / self.positives

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / (self.hits + self.alarms + self.positives)


class NoRule(_Frozen):
    """The class of the largest probability, and every label from 0.5 on."""

    rule: Literal["none"] = "none"


class F1Rule(_Frozen):
    """The largest F1 of the second class, or of the label."""

    rule: Literal["f1"]

    def worth(self, outcomes: Outcomes) -> Floats:
        """Return how good each threshold is, -inf where it does not do."""
        return outcomes.f1


class YoudenRule(_Frozen):
    """The largest sum of sensitivity and specificity (Youden, "Index for rating diagnostic tests", Cancer, 1950)."""

    rule: Literal["youden"]

    def worth(self, outcomes: Outcomes) -> Floats:
        """Return how good each threshold is, -inf where it does not do."""
        return outcomes.recall - outcomes.alarms / outcomes.negatives


class CostRule(_Frozen):
    """The least total cost of the two kinds of error; rows that are judged right cost nothing.

    Attributes:
        false_positive: What a row costs that is called the second class and is not.
        false_negative: What a row of the second class costs that is not called so.
    """

    rule: Literal["cost"]
    false_positive: PositiveFloat
    false_negative: PositiveFloat

    def worth(self, outcomes: Outcomes) -> Floats:
        """Return how good each threshold is, -inf where it does not do."""
        missed = outcomes.positives - outcomes.hits
        return -(self.false_positive * outcomes.alarms + self.false_negative * missed)


class RecallAtRule(_Frozen):
    """The highest precision with at least that recall.

    Attributes:
        recall: The least share of the second class that must be found.
    """

    rule: Literal["recall_at"]
    recall: Share

    def worth(self, outcomes: Outcomes) -> Floats:
        """Return how good each threshold is, -inf where it does not do."""
        return np.where(outcomes.recall >= self.recall, outcomes.precision, -np.inf)


class PrecisionAtRule(_Frozen):
    """The highest recall with at least that precision.

    Attributes:
        precision: The least share of what is called the second class that must be it.
    """

    rule: Literal["precision_at"]
    precision: Share

    def worth(self, outcomes: Outcomes) -> Floats:
        """Return how good each threshold is, -inf where it does not do."""
        return np.where(outcomes.precision >= self.precision, outcomes.recall, -np.inf)


class FixedRule(_Frozen):
    """A threshold that was decided elsewhere, or one for each label that is named; the others keep 0.5.

    Attributes:
        value: The probability from which on a row is called the second class, or has the label.
    """

    rule: Literal["fixed"]
    value: Threshold | Mapping[str, Threshold]

    def of(self, name: str) -> float:
        """Return the threshold of the second class, or of a label."""
        return self.value.get(name, 0.5) if isinstance(self.value, Mapping) else self.value


ChoosingRule = F1Rule | YoudenRule | CostRule | RecallAtRule | PrecisionAtRule
RULES = ("none", "f1", "youden", "cost", "recall_at", "precision_at", "fixed")
ThresholdRule = Annotated[ChoosingRule | FixedRule | NoRule, Field(discriminator="rule")]


def outcomes_of(probability: Floats, holds: Booleans) -> Outcomes:
    """Count what every threshold that makes a difference would give.

    They lie half-way between probabilities that occur, which are compared as float32
    (`tasks.prediction.predictions.decide`): a record seldom falls on one. The highest calls nothing positive, unless
    there is a probability of 1.

    Args:
        probability: float64 `[N]`.
        holds: bool `[N]`, with both values in it.
    """
    values, place = np.unique(probability.astype(np.float32), return_inverse=True)
    hits, alarms = (np.cumsum(np.bincount(place, weights=each)[::-1]).astype(np.float64) for each in (holds, ~holds))
    thresholds = _between(values)[::-1]
    if values[-1] < 1:
        above = _between(np.append(values[-1:], np.float32(1)))[1:]
        thresholds = np.concatenate([above, thresholds])
        hits, alarms = np.append(0.0, hits), np.append(0.0, alarms)
    positives = int(np.count_nonzero(holds))
    return Outcomes(thresholds, hits, alarms, positives, len(holds) - positives)


def outcome_of(threshold: float, probability: Floats, holds: Booleans) -> Outcomes:
    """Count what one threshold gives; arguments as of `outcomes_of`."""
    called = probability.astype(np.float32) >= np.float32(threshold)
    hits, alarms = np.count_nonzero(called & holds), np.count_nonzero(called & ~holds)
    positives = int(np.count_nonzero(holds))
    return Outcomes(
        np.array([threshold]), np.array([float(hits)]), np.array([float(alarms)]), positives, len(holds) - positives
    )


def _between(values: np.ndarray) -> Floats:
    """Return for each of ascending float32 values a threshold that it reaches and the one before does not."""
    below = np.append(np.float32(0), values[:-1])
    middle = ((below.astype(np.float64) + values) / 2).astype(np.float32)
    return np.where(middle > below, middle, values).astype(np.float64)
