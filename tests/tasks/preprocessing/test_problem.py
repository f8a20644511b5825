from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import ConfigError
from tasks.preprocessing.problem import TargetConfig, possible_problems, require_target
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of({"b": "boolean", "c": "boolean", "i": "integer", "w": "string", "x": "number", "at": "date"})


@pytest.mark.parametrize(
    ("config", "kind", "problems"),
    [
        ({"target": "b"}, "classes", ("binary",)),
        ({"target": "i"}, "classes", ("binary", "multiclass")),
        ({"target": "w", "problem": "multiclass"}, "classes", ("multiclass",)),
        ({"target": "x"}, "number", ("regression",)),
        ({"target": "i", "problem": "regression"}, "number", ("regression",)),
        ({"target": "i", "problem": "quantile"}, "number", ("quantile",)),
        ({"target": ["b", "c"]}, "labels", ("multilabel",)),
        ({"target": ["c", "b"], "problem": "multilabel"}, "labels", ("multilabel",)),
    ],
)
def test_the_problem_follows_from_the_config_and_the_types(config: dict[str, Any], kind: str, problems: tuple[str]):
    asked = TargetConfig.model_validate(config)
    assert require_target(CONTRACT, asked) == kind
    assert possible_problems(CONTRACT, asked) == problems


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"target": "x", "problem": "binary"}, "`x` is of type number .*write `problem: regression`"),
        ({"target": "b", "problem": "multiclass"}, "`b` is of type boolean .*write `problem: binary`"),
        ({"target": "w", "problem": "regression"}, "`w` is of type string .*write `problem: binary`"),
        ({"target": "b", "problem": "quantile"}, "predicts quantiles of a number and needs number or integer"),
        ({"target": ["b", "i"]}, "`i` is of type integer .*predicts several booleans and needs boolean"),
        ({"target": "at"}, "`at` is of type date .*boolean, string, integer or number"),
        ({"target": "at", "problem": "regression"}, "`at` is of type date .*name another column"),
        ({"target": "bb"}, "no column `bb`"),
        ({"target": ["b", "cc"]}, "no column `cc`"),
    ],
)
def test_a_problem_that_does_not_fit_the_type_is_refused(config: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=f"(?s)^target: .*{message}"):
        require_target(CONTRACT, TargetConfig.model_validate(config))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"target": "b", "problem": "multilabel"}, "got the one column `b`"),
        ({"target": ["b", "c"], "problem": "binary"}, r"got the list \['b', 'c'\]"),
        ({"target": ["b"]}, "two or more"),
        ({"target": ["b", "b"]}, "`b` stands in the list of labels more than once"),
        ({"target": 3}, "expected a column's name, or a list of names .*got 3"),
        ({"target": "x", "quantiles": [0.5]}, "quantiles belong to `problem: quantile`, and the problem is `auto`"),
        ({"target": "x", "problem": "regression", "quantiles": [0.5]}, "the problem is `regression`"),
        ({"target": "x", "problem": "quantile", "quantiles": []}, r"got \[\]"),
        ({"target": "x", "problem": "quantile", "quantiles": [0.9, 0.1]}, "ascending"),
        ({"target": "x", "problem": "quantile", "quantiles": [0.5, 0.5]}, "ascending"),
        ({"target": "x", "problem": "quantile", "quantiles": [0.0, 0.5]}, "between 0 and 1"),
        ({"target": "x", "problem": "quantile", "quantiles": [0.5, 1.0]}, "between 0 and 1"),
        ({"target": "x", "problem": "quantile", "quantiles": [float("nan")]}, "between 0 and 1"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(config: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        TargetConfig.model_validate(config)


def test_quantiles_have_a_default():
    assert TargetConfig(target="x", problem="quantile").quantiles == (0.1, 0.5, 0.9)
    assert TargetConfig(target="x").quantiles is None
