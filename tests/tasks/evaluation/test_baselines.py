from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from tasks.evaluation.baselines import LogisticConfig, logistic_probabilities, majority_probabilities
from tasks.training.models.spec import CategoricalInput, FeatureSpec, NumericInput
from tasks.training.splits import SplitTensors


def _spec(classes: int) -> FeatureSpec:
    return FeatureSpec(
        numeric=(NumericInput(name="x"),),
        categorical=(CategoricalInput(name="c", cardinality=6),),
        classes=classes,
    )


def _split(rows: int, classes: int, seed: int) -> SplitTensors:
    generator = torch.Generator().manual_seed(seed)
    numeric = torch.randn(rows, 1, generator=generator)
    categorical = torch.randint(0, 6, (rows, 1), generator=generator)
    score = numeric[:, 0] + 2.0 * (categorical[:, 0] == 4)
    return SplitTensors(numeric, categorical, torch.bucketize(score, torch.linspace(0, 2, classes - 1)))


def test_the_majority_predicts_the_shares() -> None:
    probabilities = majority_probabilities(np.array([0, 0, 0, 2]), 5, 3)
    assert probabilities.shape == (5, 3)
    assert (probabilities == [0.75, 0.0, 0.25]).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_uses_numbers_and_categories(classes: int) -> None:
    train, held_out = _split(400, classes, 0), _split(200, classes, 1)
    probabilities = logistic_probabilities(train, held_out, _spec(classes), LogisticConfig())
    assert probabilities.shape == (200, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert roc_auc_score(held_out.target == 0, probabilities[:, 0]) > 0.95


def test_a_class_never_trained_on_has_no_chance() -> None:
    train = _split(100, 2, 0)
    probabilities = logistic_probabilities(train, _split(20, 3, 1), _spec(3), LogisticConfig(iterations=5))
    assert (probabilities[:, 2] == 0.0).all()


def test_it_is_the_same_every_time() -> None:
    train, held_out = _split(300, 2, 0), _split(50, 2, 1)
    first, second = (logistic_probabilities(train, held_out, _spec(2), LogisticConfig()) for _ in range(2))
    assert first.tobytes() == second.tobytes()
