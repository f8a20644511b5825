from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn import metrics as sk

from tasks.metrics.selection import metrics_of, selection_metrics
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget

RANDOM = np.random.default_rng(5)
LABELS = LabelsTarget(labels=("a", "b", "c"))
NUMBER = NumberTarget(column="y", source="number", center=5.0, spread=3.0)


def _classes(count: int) -> ClassTarget:
    return ClassTarget(column="c", source="integer", classes=tuple(range(count)))


@settings(max_examples=25, deadline=None)
@given(classes=st.integers(2, 4), seed=st.integers(0, 1000))
def test_classes_are_measured_as_scikit_learn_does(classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, truth = random.normal(size=(40, classes)) * 3, np.tile(np.arange(classes), 40)[:40]
    found = selection_metrics(truth, scores, _classes(classes))
    shares = softmax(scores, axis=1)
    area = sk.roc_auc_score(truth, shares[:, 1] if classes == 2 else shares, multi_class="ovr")
    assert found["log_loss"] == pytest.approx(sk.log_loss(truth, shares))
    assert found["roc_auc"] == pytest.approx(area)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, shares.argmax(axis=1)))
    assert tuple(found) == metrics_of(_classes(classes).problem)


def test_labels_are_measured_one_by_one() -> None:
    scores = RANDOM.normal(size=(50, 3)) * 2
    truth = (RANDOM.random((50, 3)) < 0.4).astype(np.float32)
    found = selection_metrics(truth, scores, LABELS)
    losses = [sk.log_loss(truth[:, place], expit(scores[:, place])) for place in range(3)]
    assert found["log_loss"] == pytest.approx(np.mean(losses))
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(truth, scores, average="macro"))
    assert tuple(found) == metrics_of("multilabel")


def test_numbers_are_measured_in_their_own_unit() -> None:
    scores, truth = RANDOM.normal(size=(50, 1)), RANDOM.normal(size=50).astype(np.float32)
    found = selection_metrics(truth, scores, NUMBER)
    assert found["rmse"] == pytest.approx(3.0 * sk.root_mean_squared_error(truth, scores[:, 0]))
    assert found["mae"] == pytest.approx(3.0 * sk.mean_absolute_error(truth, scores[:, 0]))


def test_quantiles_are_measured_by_their_mean_pinball_loss() -> None:
    target = NUMBER.model_copy(update={"quantiles": (0.1, 0.9)})
    scores, truth = RANDOM.normal(size=(50, 2)), RANDOM.normal(size=50)
    losses = [sk.mean_pinball_loss(truth, scores[:, place], alpha=level) for place, level in enumerate((0.1, 0.9))]
    assert selection_metrics(truth, scores, target) == {"pinball": pytest.approx(3.0 * np.mean(losses))}


def test_an_area_that_is_undefined_ranks_all_alike() -> None:
    scores = RANDOM.normal(size=(6, 2))
    assert selection_metrics(np.zeros(6, np.int64), scores, _classes(2))["roc_auc"] == 0.5
    one = selection_metrics(np.array([0, 0, 1]), RANDOM.normal(size=(3, 3)), _classes(3))
    assert 0.0 <= one["roc_auc"] <= 1.0


def test_confident_scores_do_not_become_infinite() -> None:
    assert np.isfinite(
        selection_metrics(np.array([0, 1]), np.array([[900.0, -900], [900, -900]]), _classes(2))["log_loss"]
    )
