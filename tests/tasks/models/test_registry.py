from __future__ import annotations

import pytest
from pydantic import ValidationError

from tasks.training.models.linear import LinearConfig
from tasks.training.models.mlp import MlpConfig
from tasks.training.models.mlp_ple import MlpPleConfig
from tasks.training.models.registry import network_names
from tasks.training.train import TrainConfig


def test_the_name_chooses_the_config() -> None:
    for name, config in (("linear", LinearConfig), ("mlp", MlpConfig), ("mlp-ple", MlpPleConfig)):
        assert isinstance(TrainConfig.model_validate({"network": {"name": name}}).network, config)
        assert name in network_names()


def test_a_config_survives_its_json() -> None:
    config = TrainConfig.model_validate({"network": {"name": "mlp", "hidden": [8, 4]}})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"name": "mlp-pel"}, "got 'mlp-pel'\n  do: write `name: mlp-ple`"),
        ({"name": "xgboost"}, "expected one of linear, mlp, mlp-ple, got 'xgboost'"),
        ({"hidden": [3]}, "expected one of linear, mlp, mlp-ple, got None"),
        ("mlp", "write `name: mlp`"),
        ({"name": "mlp", "hiden": [3]}, "hiden"),
        ({"name": "mlp", "dropout": 1.0}, "less than 1"),
        ({"name": "mlp", "hidden": [0]}, "greater than 0"),
    ],
)
def test_what_is_wrong_is_said(network: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({"network": network})
    assert message in str(caught.value)
