import json
from pathlib import Path

import numpy as np
import pytest

from tasks.engine import DaskConfig
from tasks.errors import TrainingError
from tasks.images import layout as layout_module
from tasks.images.fit import run_fit_images
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.images.statistics import ChannelStatistics
from tasks.preprocessing.fit import read_preprocessing
from tests.tasks.images.pictures import all_pixels, ingest_pixels
from tests.tasks.images.test_split import codes_of, many


def test_only_the_training_split_is_measured(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 50)
    images = ingest_pixels(many(240), np.arange(240, dtype=np.uint8) % 3, tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(), tmp_path, dask)
    fitted = run_fit_images(images, split, tmp_path, dask)
    train = codes_of(images, split) == 0
    expected = ChannelStatistics.of(all_pixels(images)[train])
    constants = read_preprocessing(fitted)
    assert constants.image is not None
    assert (constants.image.mean, constants.image.deviation) == (expected.mean, expected.std)
    assert constants.image.shape == (3, 3, 1)
    assert constants.class_target.classes == ("0", "1", "2")
    assert run_fit_images(images, split, tmp_path / "again", DaskConfig(threads=1)).digest == fitted.digest
    reference = json.loads((fitted.folder / "reference.json").read_text())
    counts = np.bincount((np.arange(240) % 3)[train])
    assert reference["target"]["values"] == dict(zip("012", counts.tolist(), strict=True))


def test_a_class_that_training_lacks_is_named(tmp_path: Path, dask: DaskConfig):
    pixels, labels = many(60), np.arange(60, dtype=np.uint8) % 2
    images = ingest_pixels(pixels, labels, tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(), tmp_path, dask)
    labels[codes_of(images, split) == 2] = 7
    relabelled = ingest_pixels(pixels, labels, tmp_path / "relabelled", dask)
    same = run_split_images(relabelled, ImageSplitConfig(), tmp_path, dask)
    with pytest.raises(TrainingError, match=r"no image of `7` \(\d+ images in the other splits\).*\n  do: "):
        run_fit_images(relabelled, same, tmp_path, dask)


def test_one_class_is_nothing_to_tell_apart(tmp_path: Path, dask: DaskConfig):
    images = ingest_pixels(many(60), np.zeros(60, np.uint8), tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(), tmp_path, dask)
    with pytest.raises(TrainingError, match=r"one class, `0`, in \d+ images.*\n  do: "):
        run_fit_images(images, split, tmp_path, dask)
