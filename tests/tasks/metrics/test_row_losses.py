from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.metrics.measures import measures_of
from tasks.metrics.row_losses import LOSS_OF, row_losses, rows_of
from tasks.metrics.weighted import values
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget

SEVERAL = ClassTarget(column="c", source="string", classes=("a", "b", "c"))
LABELS = LabelsTarget(labels=("p", "q"))
NUMBER = NumberTarget(column="y", source="number", center=0.0, spread=1.0)
QUANTILES = NumberTarget(column="y", source="number", center=0.0, spread=1.0, quantiles=(0.1, 0.5))


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_mean_loss_is_the_metric(seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = random.dirichlet([1.0, 1.0, 1.0], 30).clip(1e-3)
    shares /= shares.sum(axis=1, keepdims=True)
    numbers = np.sort(random.normal(size=(30, 2)), axis=1)
    cases = (
        (
            SEVERAL,
            random.integers(0, 3, 30),
            Predictions(probabilities=shares, labels=shares.argmax(axis=1)),
            "log_loss",
        ),
        (NUMBER, random.normal(size=30), Predictions(numbers=numbers[:, 0]), "mae"),
        (QUANTILES, random.normal(size=30), Predictions(numbers=numbers), "pinball"),
    )
    for target, truth, predicted, metric in cases:
        losses = row_losses(target, truth, predicted)
        assert losses.mean() == pytest.approx(values(measures_of(target, truth, predicted), 30)[metric])
        assert row_losses(target, truth[3:5], rows_of(predicted, np.array([3, 4]))).tolist() == losses[3:5].tolist()


def test_labels_share_their_loss_and_no_row_weighs_without_end() -> None:
    probabilities = np.array([[0.5, 0.25], [0.0, 1.0]])
    truth = np.array([[True, False], [True, False]])
    losses = row_losses(LABELS, truth, Predictions(probabilities=probabilities, labels=probabilities > 0.5))
    assert losses == pytest.approx([-(np.log(0.5) + np.log(0.75)) / 2, -np.log(1e-6)])


def test_every_problem_has_a_loss() -> None:
    assert set(LOSS_OF) == {"binary", "multiclass", "multilabel", "regression", "quantile"}
