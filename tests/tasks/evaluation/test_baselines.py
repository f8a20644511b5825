from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score, roc_auc_score

from tasks.evaluation.baselines import (
    LogisticConfig,
    RidgeConfig,
    constant_baselines,
    logistic_baseline,
    ridge_baseline,
)
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget
from tasks.training.splits import SplitTensors

NUMBER = NumberTarget(column="y", source="number", center=50.0, spread=20.0)


def _classes(count: int) -> ClassTarget:
    return ClassTarget(column="y", source="integer", classes=tuple(range(count)))


def _spec(outputs: int) -> FeatureSpec:
    return FeatureSpec(
        numeric=(NumericInput(name="x"),),
        categorical=(CategoricalInput(name="c", cardinality=6),),
        outputs=outputs,
    )


def _split(rows: int, classes: int | None, seed: int) -> SplitTensors:
    generator = torch.Generator().manual_seed(seed)
    numeric = torch.randn(rows, 1, generator=generator)
    categorical = torch.randint(0, 6, (rows, 1), generator=generator)
    score = numeric[:, 0] + 2.0 * (categorical[:, 0] == 4)
    target = score if classes is None else torch.bucketize(score, torch.linspace(0, 2, classes - 1))
    return SplitTensors((numeric, categorical), target)


def test_the_majority_predicts_the_shares() -> None:
    (predicted,) = constant_baselines(_classes(3), np.array([0, 0, 0, 2]), 5).values()
    assert predicted.probabilities is not None
    assert predicted.labels is not None
    assert (predicted.probabilities == [0.75, 0.0, 0.25]).all()
    assert predicted.labels.tolist() == [0] * 5


def test_the_prior_is_of_each_label() -> None:
    truth = np.array([[True, False], [True, True], [True, False], [False, False]])
    prior = constant_baselines(LabelsTarget(labels=("a", "b")), truth, 2)["prior"]
    assert prior.probabilities is not None
    assert prior.labels is not None
    assert prior.probabilities.tolist() == [[0.75, 0.25]] * 2
    assert prior.labels.tolist() == [[True, False]] * 2


def test_numbers_have_mean_median_and_quantiles() -> None:
    truth = np.array([1.0, 2.0, 9.0])
    found = {name: each.numbers for name, each in constant_baselines(NUMBER, truth, 2).items()}
    assert {name: each.tolist() for name, each in found.items() if each is not None} == {
        "mean": [4.0, 4.0],
        "median": [2.0, 2.0],
    }
    several = NUMBER.model_copy(update={"quantiles": (0.5, 1.0)})
    quantiles = constant_baselines(several, truth, 2)["quantiles"].numbers
    assert quantiles is not None
    assert quantiles.tolist() == [[2.0, 9.0]] * 2


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_uses_numbers_and_categories(classes: int) -> None:
    train, held_out = _split(400, classes, 0), _split(200, classes, 1)
    probabilities = logistic_baseline(
        train, held_out, _spec(classes), _classes(classes), LogisticConfig()
    ).probabilities
    assert probabilities is not None
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert roc_auc_score(held_out.target == 0, probabilities[:, 0]) > 0.95


def test_a_class_never_trained_on_has_no_chance() -> None:
    train = _split(100, 2, 0)
    config = LogisticConfig(iterations=5)
    probabilities = logistic_baseline(train, _split(20, 3, 1), _spec(3), _classes(3), config).probabilities
    assert probabilities is not None
    assert (probabilities[:, 2] == 0.0).all()


def test_ridge_uses_numbers_and_categories_and_answers_in_the_targets_unit() -> None:
    train, held_out = _split(400, None, 0), _split(200, None, 1)
    numbers = ridge_baseline(train, held_out, _spec(1), NUMBER, RidgeConfig()).numbers
    assert numbers is not None
    assert r2_score(held_out.target.numpy() * 20.0 + 50.0, numbers) > 0.99


def test_it_is_the_same_every_time() -> None:
    train, held_out = _split(300, 2, 0), _split(50, 2, 1)
    first, second = (
        logistic_baseline(train, held_out, _spec(2), _classes(2), LogisticConfig()).probabilities for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert first.tobytes() == second.tobytes()
