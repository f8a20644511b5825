from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import ConfigError, IntegrityError
from tasks.explanation.config import ExplainConfig, require_explanation
from tasks.explanation.explain import read_explanation, run_explain
from tasks.references import ExplanationRef
from tests.tasks.evaluation.small_models import ROWS, TARGETS, SmallModel, small_model


def explain(model: SmallModel, home: Path, **settings: Any) -> ExplanationRef:
    config = ExplainConfig.model_validate(settings)
    return run_explain(model.features, model.preprocessing, model.checkpoint, model.calibration, config, home)


@pytest.mark.parametrize("problem", TARGETS)
def test_every_problem_is_explained(problem: str, tmp_path: Path) -> None:
    model = small_model(tmp_path, problem)
    ref = explain(model, tmp_path)
    found = read_explanation(ref)
    importance, examples = found["importance"], found["examples"]
    assert (importance["rows"], importance["repeats"]) == (ROWS["test"], 5)
    assert importance["columns"][0]["column"] == "x0"
    # The small model's weights of the category are all zero.
    assert {"column": "c", "mean": 0.0, "deviation": 0.0} in importance["columns"]
    assert [row["chosen"] for row in examples["rows"]] == ["greatest loss"] * 3 + ["random"] * 2
    for row in examples["rows"]:
        assert row["score"] == pytest.approx(
            row["base"] + sum(each["adds"] for each in row["columns"]) + row["remainder"], abs=1e-9
        )
        assert abs(row["remainder"]) < 1e-3
        assert row["columns"][0]["column"] in {"x0", "x1"}
    assert explain(model, tmp_path).digest == ref.digest
    json.dumps(found, allow_nan=False)


def test_what_is_not_asked_for_is_not_there(tmp_path: Path) -> None:
    model = small_model(tmp_path, "binary")
    found = read_explanation(explain(model, tmp_path, importance=None, examples=0))
    assert found == {"importance": None, "examples": None}
    few = read_explanation(explain(model, tmp_path, importance={"rows": 50, "metric": "roc_auc"}, examples=1))
    assert (few["importance"]["rows"], few["importance"]["metric"]) == (50, "roc_auc")
    assert len(few["examples"]["rows"]) == 1


def test_columns_beyond_the_most_are_counted(tmp_path: Path) -> None:
    found = read_explanation(explain(small_model(tmp_path, "binary"), tmp_path, importance={"columns": 1}, examples=0))
    assert [each["column"] for each in found["importance"]["columns"]] == ["x0"]
    assert found["importance"]["left_out"] == 2


def test_a_metric_that_the_problem_lacks_is_refused() -> None:
    config = ExplainConfig.model_validate({"importance": {"metric": "rocauc"}})
    with pytest.raises(ConfigError, match="`rocauc` is no metric of this problem; did you mean `roc_auc`"):
        require_explanation(config, ["binary"])
    with pytest.raises(ConfigError, match="write auto, or one of rmse, mae, r2, mape"):
        require_explanation(config, ["regression"])
    require_explanation(ExplainConfig(), ["regression"])
    require_explanation(ExplainConfig(importance=None), ["regression"])


def test_another_models_calibration_is_refused(tmp_path: Path) -> None:
    model, other = small_model(tmp_path / "a", "binary"), small_model(tmp_path / "b", "regression")
    with pytest.raises(IntegrityError):
        run_explain(model.features, model.preprocessing, other.checkpoint, model.calibration, ExplainConfig(), tmp_path)
