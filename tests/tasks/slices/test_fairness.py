from __future__ import annotations

import numpy as np
import pytest

from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget
from tasks.slices.fairness import fairness_names, fairness_of
from tasks.slices.groups import Groups

BINARY = ClassTarget(column="late", source="boolean", classes=(False, True))
# 40 rows of f, 40 of m, 5 of x, which are too few.
GROUPS = Groups("sex", ("f", "m", "x"), np.repeat([0, 1, 2], [40, 40, 5]))


def pattern(*shares: tuple[int, int]) -> np.ndarray:
    """Return so many ones and then so many zeros, again and again."""
    return np.concatenate([np.repeat([1, 0], share) for share in shares])


# True: 20 of 40 in either group. Said: of f 15 of the 20 and 5 of the others, of m 10 of the 20 and none.
TRUTH = pattern((20, 20), (20, 20), (5, 0))
SAID = pattern((15, 5), (5, 15), (10, 10), (0, 20), (5, 0))


def test_two_classes_by_hand() -> None:
    found = fairness_of(BINARY, TRUTH, Predictions(labels=SAID), GROUPS, min_rows=30)
    f, m = found["groups"]
    assert f == {
        "group": "f", "rows": 40, "selection_rate": 0.5, "true_positive_rate": 0.75, "false_positive_rate": 0.25,
    }  # fmt: skip
    assert (m["selection_rate"], m["true_positive_rate"], m["false_positive_rate"]) == (0.25, 0.5, 0.0)
    assert {name: each["value"] for name, each in found["measures"].items()} == {
        "demographic_parity_difference": 0.25,
        "demographic_parity_ratio": 0.5,
        "equalized_odds_difference": 0.25,
        "equalized_odds_ratio": 0.0,
    }
    assert found["left_out"] == [{"group": "x", "rows": 5}]


def test_a_group_that_no_one_of_the_class_is_in_has_no_odds() -> None:
    truth = TRUTH.copy()
    truth[:40] = 0
    found = fairness_of(BINARY, truth, Predictions(labels=SAID), GROUPS, min_rows=30)
    assert found["groups"][0]["true_positive_rate"] is None
    assert set(found["measures"]) == {"demographic_parity_difference", "demographic_parity_ratio"}


def test_one_group_has_nobody_to_be_compared_with() -> None:
    found = fairness_of(BINARY, TRUTH, Predictions(labels=SAID), GROUPS, min_rows=41)
    assert (found["groups"], found["measures"], len(found["left_out"])) == ([], {}, 3)
    alone = Groups("sex", ("f",), np.zeros(85, np.int64))
    assert fairness_of(BINARY, TRUTH, Predictions(labels=SAID), alone, min_rows=41)["measures"] == {}


def test_of_several_classes_and_of_labels_the_worst_counts() -> None:
    several = ClassTarget(column="c", source="string", classes=("a", "b", "c"))
    found = fairness_of(several, TRUTH, Predictions(labels=SAID), GROUPS, min_rows=30)
    assert found["measures"]["demographic_parity_difference"] == {"value": 0.25, "class": "a"}
    labels = LabelsTarget(labels=("steady", "late"))
    both = np.stack([np.ones(85, bool), SAID == 1], axis=1), np.stack([np.ones(85, bool), TRUTH == 1], axis=1)
    found = fairness_of(labels, both[1], Predictions(labels=both[0]), GROUPS, min_rows=30)
    assert found["measures"]["demographic_parity_ratio"] == {"value": 0.5, "class": "late"}
    assert {line["class"] for line in found["groups"]} == {"steady", "late"}


def test_numbers_and_quantiles_by_hand() -> None:
    number = NumberTarget(column="delay", source="number", center=0.0, spread=1.0)
    truth = np.zeros(85)
    said = np.repeat([1.0, -2.0, 50.0], [40, 40, 5])
    found = fairness_of(number, truth, Predictions(numbers=said), GROUPS, min_rows=30)
    assert {name: each["value"] for name, each in found["measures"].items()} == {
        "mean_prediction_difference": 3.0,
        "mean_error_difference": 3.0,
        "mae_difference": 1.0,
    }
    assert found["groups"][1] == {"group": "m", "rows": 40, "mean_prediction": -2.0, "mean_error": -2.0, "mae": 2.0}
    quantile = NumberTarget(column="delay", source="number", center=0.0, spread=1.0, quantiles=(0.5,))
    found = fairness_of(quantile, truth, Predictions(numbers=said[:, None]), GROUPS, min_rows=30)
    assert found["measures"]["pinball_difference"]["value"] == pytest.approx(0.5)


def test_every_problem_has_measures() -> None:
    assert "equalized_odds_difference" in fairness_names("multilabel")
    assert fairness_names("quantile") == ("pinball_difference",)
