from __future__ import annotations

import pytest
from pydantic import ValidationError

from tasks.errors import ConfigError
from tasks.preprocessing.targets import Problem
from tasks.training.config import TrainConfig
from tasks.training.requirements import require_fitting
from tasks.training.selection_config import SelectionConfig


@pytest.mark.parametrize(
    ("problem", "metric"),
    [
        ("binary", "log_loss"),
        ("multiclass", "log_loss"),
        ("multilabel", "log_loss"),
        ("regression", "rmse"),
        ("quantile", "pinball"),
    ],
)
def test_every_problem_has_a_metric_of_its_own(problem: Problem, metric: str) -> None:
    assert SelectionConfig().resolved(problem).metric == metric
    require_fitting(TrainConfig(), problem)


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"train\.selection\.metric: .* got 'rocauc'\n  do: write `roc_auc`"):
        SelectionConfig(metric="rocauc")


@pytest.mark.parametrize(
    ("section", "problem", "message"),
    [
        ({"selection": {"metric": "accuracy"}}, "multilabel", "`accuracy` does not fit a multilabel problem"),
        ({"loss": "mse"}, "binary", "`mse` does not fit a binary problem"),
        ({"loss": {"pos_weight": "balanced"}}, "binary", "pos_weight: `cross_entropy` has no such option"),
        ({"class_weights": {"a": 2.0}}, "multilabel", r"no classes to weigh\n  do: .* train\.loss\.pos_weight"),
    ],
)
def test_what_does_not_fit_the_problem_is_refused(section: dict[str, object], problem: Problem, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_fitting(TrainConfig.model_validate(section), problem)
