"""How far probabilities are from what happens, and quantiles from the share of rows below them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.calibration.truth import held, names, places
from tasks.evaluation.curves import calibration_curve
from tasks.metrics.measures import measures_of
from tasks.metrics.numbers import per_quantile
from tasks.metrics.weighted import measured
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import NumberTarget, Target

_MEASURES = ("log_loss", "brier", "ece", "pinball", "coverage")


class Reliability(BaseModel):
    """The reliability curve of one class or label: for each bin with rows its mean probability and what happened.

    Attributes:
        name: The second class of two, each class of more, or the label.
        predicted: Mean probability.
        observed: Share of the rows of which it held.
        count: Rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]


class Quality(BaseModel):
    """What was measured on the validation split.

    Attributes:
        measures: Of classes and labels `log_loss`, `brier` and `ece`, of quantiles `pinball`, `coverage` and
            `below <quantile>`, the share of rows at or below it (`tasks.metrics`); of a mean nothing.
        reliability: One curve for each class or label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measures: dict[str, float]
    reliability: tuple[Reliability, ...] = ()


def quality_of(predicted: Predictions, truth: NDArray[Any], target: Target) -> Quality:
    """Measure predictions.

    Args:
        predicted: For N records.
        truth: int64 `[N]` of class indices, bool `[N, L]` of labels, or float64 `[N]` in the target's own unit.
        target: What it is of.
    """
    found = measured(measures_of(target, truth, predicted), np.ones((1, len(truth))), _MEASURES)
    measures = {name: float(value[0]) for name, value in found.items()}
    if isinstance(target, NumberTarget):
        if target.quantiles:
            assert predicted.numbers is not None
            each = per_quantile(truth, predicted.numbers, target.quantiles)
            measures |= {f"below {one['quantile']:g}": one["below"] for one in each}
        return Quality(measures=measures)
    assert predicted.probabilities is not None
    columns = zip(names(target), predicted.probabilities[:, places(target)].T, held(truth, target).T, strict=True)
    curves = (Reliability(name=name, **calibration_curve(holds, score)) for name, score, holds in columns)
    return Quality(measures=measures, reliability=tuple(curves))
