"""Choosing thresholds on the validation split, and what they give there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.calibration.rules import ChoosingRule, FixedRule, Outcomes, PrecisionAtRule, outcome_of, outcomes_of
from tasks.calibration.truth import Booleans, Floats
from tasks.errors import ConfigError


class Chosen(BaseModel):
    """One threshold and what it gives on the validation split.

    Attributes:
        name: The second class of two, or the label.
        called: Rows with at least this probability.
        false_positive_rate: Share of the negative rows among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    threshold: float
    called: int
    precision: float
    recall: float
    f1: float
    false_positive_rate: float


def choose_thresholds(
    probabilities: Floats, holds: Booleans, names: Sequence[str], rule: ChoosingRule | FixedRule
) -> tuple[Chosen, ...]:
    """Choose a threshold for each column by itself; of equally good ones the highest.

    Args:
        probabilities: float64 `[N, K]`, calibrated.
        holds: bool `[N, K]`, with both values in each column.
        names: K names.
        rule: What is wanted.

    Raises:
        ConfigError: No threshold does what the rule asks for.
    """
    return tuple(_choose(probabilities[:, place], holds[:, place], name, rule) for place, name in enumerate(names))


def _choose(probability: Floats, holds: Booleans, name: str, rule: ChoosingRule | FixedRule) -> Chosen:
    if isinstance(rule, FixedRule):
        return _chosen(outcome_of(rule.of(name), probability, holds), 0, name)
    outcomes = outcomes_of(probability, holds)
    worth = rule.worth(outcomes)
    best = int(worth.argmax())
    if worth[best] == -np.inf:
        raise _unreachable(outcomes, name, rule)
    return _chosen(outcomes, best, name)


def _chosen(outcomes: Outcomes, place: int, name: str) -> Chosen:
    return Chosen(
        name=name,
        threshold=float(outcomes.thresholds[place]),
        called=int(outcomes.hits[place] + outcomes.alarms[place]),
        precision=float(outcomes.precision[place]),
        recall=float(outcomes.recall[place]),
        f1=float(outcomes.f1[place]),
        false_positive_rate=float(outcomes.alarms[place] / outcomes.negatives),
    )


def _unreachable(outcomes: Outcomes, name: str, rule: ChoosingRule) -> ConfigError:
    assert isinstance(rule, PrecisionAtRule), "a recall of 1 can always be had"
    best = int(outcomes.precision.argmax())
    return ConfigError(
        f"calibrate.threshold: no threshold for `{name}` reaches precision {rule.precision:g} on the validation split "
        f"({outcomes.positives} of {outcomes.positives + outcomes.negatives} rows are positive); the best is "
        f"{outcomes.precision[best]:.4g}, with recall {outcomes.recall[best]:.4g} from {outcomes.thresholds[best]:.4g} "
        "on\n  do: ask for less, or for another rule"
    )
