from pathlib import Path

import numpy as np
import pytest

from tasks.data.partitions import read_manifest
from tasks.data.split import SPLITS
from tasks.engine import DaskConfig
from tasks.images import layout as layout_module
from tasks.images.augment.materialize import ImageCopiesConfig, run_augment_images
from tasks.images.features import read_images, run_transform_images
from tasks.images.fit import run_fit_images
from tasks.images.ingest import ImageConfig, ImageSourceConfig, run_ingest_images
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.preprocessing.fit import read_preprocessing
from tests.tasks.images.pictures import all_pixels, write_idx
from tests.tasks.images.test_split import codes_of, many


@pytest.fixture
def placed(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    """Images of three of four classes, in partitions of 40, and their split."""
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 40)
    write_idx(tmp_path / "in" / "images-idx3-ubyte", many(120))
    write_idx(tmp_path / "in" / "labels-idx1-ubyte", np.array([3, 0, 1], np.uint8)[np.arange(120) % 3])
    source = ImageSourceConfig(path=str(tmp_path / "in"), format="idx", classes=("d", "c", "b", "a"))
    images = run_ingest_images(source, ImageConfig(width=3, height=3, mode="L"), tmp_path, dask)
    return images, run_split_images(images, ImageSplitConfig(), tmp_path, dask)


def test_every_split_has_its_pixels_and_classes_in_row_order(tmp_path: Path, dask: DaskConfig, placed):
    fitted = run_fit_images(*placed, tmp_path, dask)
    features = run_transform_images(*placed, fitted, tmp_path, dask)
    constants = read_preprocessing(fitted)
    # `b` has no image, so it is no class.
    assert constants.class_target.classes == ("d", "c", "a")
    expected = np.array([2, 0, 1])[np.arange(120) % 3]
    for code, name in enumerate(SPLITS):
        chosen = codes_of(*placed) == code
        pixels, target = read_images(features, constants, name)
        np.testing.assert_array_equal(pixels, all_pixels(placed[0])[chosen])
        np.testing.assert_array_equal(target, expected[chosen])
    again = run_transform_images(*placed, fitted, tmp_path / "again", DaskConfig(threads=1))
    assert features.digest == again.digest


def test_copies_join_the_training_split_behind_it(tmp_path: Path, dask: DaskConfig, placed):
    fitted = run_fit_images(*placed, tmp_path, dask)
    copies = run_augment_images(*placed, ImageCopiesConfig(augment={"flip": {"horizontal": 1.0}}), tmp_path, dask)
    plain = run_transform_images(*placed, fitted, tmp_path, dask)
    both = run_transform_images(*placed, fitted, tmp_path, dask, copies)
    constants = read_preprocessing(fitted)
    pixels, target = read_images(both, constants, "train")
    before, classes = read_images(plain, constants, "train")
    assert len(pixels) == 2 * len(before)
    np.testing.assert_array_equal(pixels[: len(before)], before)
    np.testing.assert_array_equal(pixels[len(before) :], before[:, :, ::-1])
    np.testing.assert_array_equal(target, np.concatenate([classes, classes]))
    for name in ("validation", "test"):
        assert [each.rows for each in read_manifest(both).of_split(name)] == [
            each.rows for each in read_manifest(plain).of_split(name)
        ]
