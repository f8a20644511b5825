from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from tasks.preprocessing.targets import ClassTarget
from tasks.training.class_weights import class_weights
from tasks.training.train import TrainConfig

SIZES = ClassTarget(column="size", source="integer", classes=(1, 2, 30))
LABELS = torch.tensor([0] * 6 + [1] * 2)


def test_balanced_classes_weigh_the_same_together() -> None:
    weights = class_weights("balanced", LABELS, SIZES)
    assert weights is not None
    assert weights.tolist() == pytest.approx([8 / (3 * 6), 8 / (3 * 2), 0.0])
    assert weights.dtype == torch.float32


def test_named_weights_and_none() -> None:
    weights = class_weights({"30": 2.5}, LABELS, SIZES)
    assert weights is not None
    assert weights.tolist() == [1.0, 1.0, 2.5]
    assert class_weights("none", LABELS, SIZES) is None


@pytest.mark.parametrize("given", ["balancd", {"a": 0.0}, {"a": -1}, {"a": float("inf")}, [1.0, 2.0]])
def test_what_is_no_weight_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="class_weights"):
        TrainConfig.model_validate({"class_weights": given})


def test_names_are_read_as_yaml_gives_them() -> None:
    config = TrainConfig.model_validate({"class_weights": {True: 2, False: 1}})
    assert config.class_weights == {"true": 2.0, "false": 1.0}
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config
