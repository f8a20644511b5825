from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.models.config import AutoConfig, BlendConfig
from tasks.models.mlp import MlpConfig
from tasks.models.trees import TreesConfig
from tasks.training.config import TrainConfig


def _model(given: Any) -> Any:
    return TrainConfig.model_validate({"model": given}).model


def test_trees_blends_and_auto_are_models_like_networks() -> None:
    assert _model("trees") == TreesConfig()
    assert _model("auto") == AutoConfig()
    blend = _model({"name": "blend", "members": ["trees", {"name": "mlp", "hidden": [8]}], "weights": [2, 1]})
    assert blend == BlendConfig(members=(TreesConfig(), MlpConfig(hidden=(8,))), weights=(2.0, 1.0))
    assert _model({"name": "auto", "candidates": [{"name": "trees", "leaves": 7}]}).candidates[0].leaves == 7


def test_they_survive_their_json() -> None:
    for given in ("trees", "auto", {"name": "blend", "members": ["trees", "mlp-ple"]}):
        config = TrainConfig.model_validate({"model": given})
        assert TrainConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("tree", "got 'tree'\n  do: write `name: trees`"),
        ({"name": "trees", "leafs": 3}, "leafs"),
        ({"name": "trees", "leaves": 1}, "greater than or equal to 2"),
        ({"name": "trees", "row_share": 0.0}, "greater than 0"),
        ({"name": "blend"}, "members"),
        ({"name": "blend", "members": []}, "at least 1 item"),
        ({"name": "blend", "members": ["auto"]}, "train.model: a member: expected one of linear, "),
        ({"name": "blend", "members": ["mpl"]}, "got 'mpl'\n  do: write `name: mlp`"),
        ({"name": "blend", "members": ["trees", "mlp"], "weights": [1]}, "a weight for each of the 2 members"),
        ({"name": "blend", "members": ["trees"], "weights": [0]}, "not all of them 0"),
        ({"name": "blend", "members": ["trees"], "weights": [-1]}, "greater than or equal to 0"),
        ({"name": "auto", "folds": 1}, "greater than or equal to 2"),
        ({"name": "auto", "cpu_minutes": 0}, "greater than 0"),
    ],
)
def test_what_is_wrong_is_said(given: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _model(given)
    assert message in str(caught.value)
