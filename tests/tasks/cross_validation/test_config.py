from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from data_contracts.contract import Contract
from data_contracts.loader import load_contract
from tasks.cross_validation.config import (
    CrossValidateConfig,
    require_folds,
    require_image_folds,
    resolved_folds,
    resolved_image_folds,
)
from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tests.end_to_end.customers import CONTRACT

BY_PLAN = SplitConfig(method="group", column="plan")
BY_TIME = SplitConfig(method="time", column="signed_up")


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("contract") / "customers.odcs.yaml"
    path.write_text(CONTRACT)
    return load_contract(str(path))


def test_auto_does_as_the_split_does() -> None:
    auto = CrossValidateConfig()
    assert resolved_folds(auto, SplitConfig(), "binary").method == "stratified"
    assert resolved_folds(auto, SplitConfig(), "regression").method == "kfold"
    by_group = resolved_folds(auto, BY_PLAN, "binary")
    assert (by_group.method, by_group.column) == ("group", "plan")
    by_time = resolved_folds(auto, BY_TIME, "binary")
    assert (by_time.method, by_time.column) == ("time", "signed_up")
    chosen = CrossValidateConfig(method="kfold")
    assert resolved_folds(chosen, BY_PLAN, "binary") == chosen
    assert resolved_image_folds(auto).method == "stratified"


@pytest.mark.parametrize(
    ("asked", "split", "keep", "problem", "message"),
    [
        ({}, BY_PLAN, (), "binary", r"folds by `plan` .*the split is by group.*[^$]*preprocess\.keep: \['plan'\]"),
        ({}, BY_TIME, ("plan",), "binary", r"preprocess\.keep: \['plan', 'signed_up'\]"),
        ({"method": "group", "column": "paln"}, SplitConfig(), (), "binary", "did you mean `plan`"),
        ({"method": "time", "column": "plan"}, SplitConfig(), ("plan",), "binary", "type string, which has no order"),
        ({"method": "stratified"}, SplitConfig(), (), "regression", "a regression problem has none"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    asked: dict[str, Any], split: SplitConfig, keep: tuple[str, ...], problem: Any, message: str, contract: Contract
) -> None:
    with pytest.raises(ConfigError, match=message):
        require_folds(CrossValidateConfig.model_validate(asked), split, contract, keep, problem)


def test_what_can_be_passes(contract: Contract) -> None:
    require_folds(CrossValidateConfig(), SplitConfig(), contract, (), "binary")
    require_folds(CrossValidateConfig(), BY_PLAN, contract, ("plan",), "binary")
    require_folds(CrossValidateConfig(method="time"), SplitConfig(), contract, (), "regression")
    require_image_folds(CrossValidateConfig(), copies=False, grouped=False)
    require_image_folds(CrossValidateConfig(method="stratified"), copies=False, grouped=True)


def test_images_with_copies_or_groups_are_refused() -> None:
    with pytest.raises(ConfigError, match="copies of training images"):
        require_image_folds(CrossValidateConfig(), copies=True, grouped=False)
    with pytest.raises(ConfigError, match="cannot keep groups together"):
        require_image_folds(CrossValidateConfig(), copies=False, grouped=True)


@pytest.mark.parametrize("asked", [{"method": "group"}, {"column": "plan"}, {"folds": 1}, {"folds": 101}])
def test_settings_that_contradict_each_other(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CrossValidateConfig.model_validate(asked)
