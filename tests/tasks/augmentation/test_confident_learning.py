from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.augmentation.confident_learning import confidence


def test_an_example_by_hand() -> None:
    labels = np.asarray([0, 0, 0, 1, 1, 1])
    own = np.asarray([0.9, 0.8, 0.1, 0.2, 0.7, 0.9])
    probabilities = np.column_stack([np.where(labels == 0, own, 1 - own), np.where(labels == 1, own, 1 - own)])
    found = confidence(labels, probabilities)
    assert found.thresholds == pytest.approx([0.6, 0.6])
    assert found.counted.tolist() == [[2, 1], [1, 2]]
    assert found.suggested.tolist() == [0, 0, 1, 0, 1, 1]
    assert found.joint == pytest.approx(np.asarray([[2, 1], [1, 2]]) / 6)
    assert found.noise == pytest.approx(1 / 3)
    assert found.own.tolist() == own.tolist()


def test_a_row_of_which_nothing_is_certain_keeps_its_label() -> None:
    labels = np.asarray([0, 0, 1, 1])
    probabilities = np.asarray([[0.95, 0.05], [0.5, 0.5], [0.05, 0.95], [0.05, 0.95]])
    found = confidence(labels, probabilities)
    assert found.counted.tolist() == [[1, 0], [0, 2]]
    assert found.suggested.tolist() == labels.tolist()
    assert found.joint == pytest.approx(np.asarray([[0.5, 0], [0, 0.5]]))


def test_where_two_classes_are_as_probable_the_label_stands() -> None:
    labels = np.asarray([0, 1] * 20)
    found = confidence(labels, np.full((40, 2), 0.5))
    assert found.suggested.tolist() == labels.tolist()
    assert found.noise == 0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 5), rows=st.integers(5, 60))
def test_the_joint_is_a_distribution_with_the_given_labels_as_margin(seed: int, classes: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, rows)])
    probabilities = random.dirichlet(np.ones(classes), len(labels))
    found = confidence(labels, probabilities)
    assert found.joint.sum() == pytest.approx(1)
    assert found.joint.sum(axis=1) == pytest.approx(np.bincount(labels) / len(labels))
    assert 0 <= found.noise <= 1
    apart = np.flatnonzero(found.suggested != labels)
    assert len(apart) <= found.noise * len(labels) + classes * classes / 2
    assert (probabilities[apart, found.suggested[apart]] > found.own[apart]).all()
