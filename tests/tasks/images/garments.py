"""A problem of tiny images that a small network learns in a second: which half of the picture is bright."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.engine import DaskConfig
from tasks.images.features import run_transform_images
from tasks.images.fit import run_fit_images
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.references import DatasetRef, PreprocessingRef, SplitRef
from tasks.training.train import TrainConfig
from tests.tasks.images.pictures import ingest_pixels

TINY = TrainConfig.model_validate(
    {
        "model": {"name": "cnn", "channels": [4, 8]},
        "batch_size": 20,
        "steps_per_round": 4,
        "rounds": 2,
        "optimizer": {"learning_rate": 0.02, "average_decay": 0.5},
        "machine": {"accelerator": "cpu", "threads": 1},
    }
)


@dataclass(frozen=True)
class Garments:
    """References to sixty grey images of 6 x 5 pixels in three classes."""

    images: DatasetRef
    split: SplitRef
    preprocessing: PreprocessingRef
    features: DatasetRef


def write_garments(home: Path, dask: DaskConfig, count: int = 60) -> Garments:
    """Ingest, split, fit and transform: class 0 is bright above, 1 below, 2 nowhere."""
    random, classes = np.random.default_rng(0), np.arange(count, dtype=np.uint8) % 3
    pixels = random.integers(0, 80, (count, 6, 5), dtype=np.uint8)
    pixels[classes == 0, :3] += 150
    pixels[classes == 1, 3:] += 150
    images = ingest_pixels(pixels, classes, home, dask)
    split = run_split_images(images, ImageSplitConfig(train=0.5, validation=0.25, test=0.25), home, dask)
    fitted = run_fit_images(images, split, home, dask)
    return Garments(images, split, fitted, run_transform_images(images, split, fitted, home, dask))
