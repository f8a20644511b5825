"""Images are augmented as a pure function of seed and step, and a run that is killed goes on to the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.engine import DaskConfig
from tasks.errors import ConfigError
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.models.checkpoint import load_predictor, read_description
from tasks.models.spec import ImageSpec
from tasks.progress import reading
from tasks.references import CheckpointRef
from tasks.training.image_batches import ImageChange
from tasks.training.splits import read_split
from tasks.training.train import TrainConfig, run_train
from tests.tasks.data.tables import dask
from tests.tasks.images.garments import TINY, Garments, write_garments

__all__ = ["dask"]

FLIPS = ImageAugmentConfig.model_validate({"flip": {"horizontal": 0.5}, "noise": {"std": 0.1}})
MIXES = ImageAugmentConfig.model_validate({"flip": {"horizontal": 0.5}, "mixup": {"probability": 0.5}, "erasing": {}})


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def garments(tmp_path_factory: pytest.TempPathFactory, dask: DaskConfig) -> Garments:
    return write_garments(tmp_path_factory.mktemp("garments"), dask)


def train(
    garments: Garments, folder: Path, augment: ImageAugmentConfig = FLIPS, config: TrainConfig = TINY
) -> CheckpointRef:
    work = folder / "work"
    return run_train(garments.features, garments.preprocessing, config, folder / "home", work, augment)


@pytest.mark.parametrize("augment", [FLIPS, MIXES], ids=["hard", "soft"])
def test_the_seed_and_the_step_decide_every_draw(augment: ImageAugmentConfig) -> None:
    pixels = torch.randint(0, 256, (8, 6, 5, 1), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    given, target = pixels.clone(), torch.arange(8) % 3
    change = ImageChange(augment, classes=3, seed=4, device="cpu")
    images, classes = change((pixels, target), 7)
    assert images.shape == pixels.shape
    assert images.dtype == torch.uint8
    assert torch.equal(pixels, given)
    if augment.mixes:
        assert classes.shape == (8, 3)
        torch.testing.assert_close(classes.sum(dim=1), torch.ones(8))
    else:
        assert torch.equal(classes, target)
    torch.manual_seed(99)
    assert all(map(torch.equal, change((pixels, target), 7), (images, classes)))
    other = ImageChange(augment, classes=3, seed=5, device="cpu")
    for elsewhere in (change((pixels, target), 8), other((pixels, target), 7)):
        assert not torch.equal(elsewhere[0], images)


def test_a_network_of_images_learns(garments: Garments, tmp_path: Path) -> None:
    checkpoint = train(garments, tmp_path, config=TINY.model_copy(update={"rounds": 6}))
    description = read_description(checkpoint)
    assert isinstance(description.features, ImageSpec)
    test = read_split(garments.features, garments.preprocessing, "test")
    assert test.inputs[0].dtype == torch.uint8
    scores = load_predictor(checkpoint).scores(test.inputs[0].numpy())
    assert np.mean(scores.argmax(axis=1) == test.target.numpy()) > 0.8


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
def test_soft_targets_a_kill_in_the_middle_of_a_round_and_the_same_weights(
    garments: Garments, tmp_path: Path, loss: str
) -> None:
    settings = {"checkpoint_steps": 2, "logs": {"every": 1}, "loss": loss, "class_weights": "balanced"}
    config = TrainConfig.model_validate({**TINY.model_dump(mode="json"), **settings})
    expected = train(garments, tmp_path / "whole", MIXES, config)
    assert expected.digest != train(garments, tmp_path / "plain", FLIPS, config).digest

    def kill(label: str, values: Mapping[str, float]) -> None:
        if values.get("step") == 7:
            raise Killed

    with pytest.raises(Killed), reading(kill):
        train(garments, tmp_path / "interrupted", MIXES, config)
    assert train(garments, tmp_path / "interrupted", MIXES, config).digest == expected.digest


def test_a_model_of_tables_is_refused(garments: Garments, tmp_path: Path) -> None:
    config = TrainConfig.model_validate({**TINY.model_dump(mode="json"), "model": "mlp"})
    with pytest.raises(ConfigError, match="`mlp` reads tables, and this pipeline has images"):
        train(garments, tmp_path, config=config)
