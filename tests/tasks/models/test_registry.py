from __future__ import annotations

import pytest
from pydantic import ValidationError

from tasks.models.ft_transformer import FtTransformerConfig
from tasks.models.linear import LinearConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.registry import network_names
from tasks.models.tabm import TabmConfig
from tasks.training.train import TrainConfig


@pytest.mark.parametrize("config", [LinearConfig, MlpConfig, MlpPleConfig, TabmConfig, FtTransformerConfig])
def test_the_name_chooses_the_config_and_may_stand_alone(config: type[LinearConfig]) -> None:
    name = config().name
    assert name in network_names()
    for given in (name, {"name": name}):
        assert TrainConfig.model_validate({"model": given}).model == config()


def test_a_config_survives_its_json() -> None:
    config = TrainConfig.model_validate({"model": {"name": "mlp", "hidden": [8, 4]}})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"name": "mlp-pel"}, "got 'mlp-pel'\n  do: write `name: mlp-ple`"),
        ("tabn", "got 'tabn'\n  do: write `name: tabm`"),
        ({"name": "xgboost"}, "expected one of linear, mlp, mlp-ple, tabm, ft-transformer, random-features, module, "),
        ({"hidden": [3]}, "got None\n  do: write"),
        ({"name": "tabm", "members": 0}, "greater than 0"),
        ({"name": "mlp", "hiden": [3]}, "hiden"),
        ({"name": "mlp", "dropout": 1.0}, "less than 1"),
        ({"name": "mlp", "hidden": [0]}, "greater than 0"),
    ],
)
def test_what_is_wrong_is_said(network: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({"model": network})
    assert message in str(caught.value)
