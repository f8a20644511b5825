from __future__ import annotations

from typing import get_args

import pytest

from tasks.metrics.table import METRIC, METRICS, direction, metric_names
from tasks.preprocessing.targets import Problem


def test_names_are_unique_and_every_problem_has_some() -> None:
    assert len(METRIC) == len(METRICS)
    assert all(metric_names(problem) for problem in get_args(Problem))


@pytest.mark.parametrize(
    ("problem", "first"),
    [
        ("binary", "roc_auc"),
        ("multiclass", "roc_auc"),
        ("multilabel", "roc_auc"),
        ("regression", "rmse"),
        ("quantile", "pinball"),
    ],
)
def test_the_first_metric_is_spoken_of_first(problem: Problem, first: str) -> None:
    assert metric_names(problem)[0] == first


@pytest.mark.parametrize(("name", "way"), [("log_loss", -1), ("rmse", -1), ("r2", 1), ("roc_auc", 1), ("unheard", 1)])
def test_a_metric_has_a_direction(name: str, way: int) -> None:
    assert direction(name) == way
