from pathlib import Path

import numpy as np

from tasks.engine import DaskConfig
from tasks.images.duplicates import NearDuplicatesConfig
from tasks.images.leakage import pairs_across_splits
from tasks.images.split import ImageSplitConfig, run_split_images
from tests.tasks.images.pictures import ingest_pixels, nearly, smooth, write_idx


def test_near_pairs_across_splits_are_named_and_nothing_stays_on_disk(tmp_path: Path, dask: DaskConfig):
    train = np.stack([*(smooth(seed) for seed in range(6)), smooth(0)])
    test = np.stack([smooth(20), nearly(smooth(0)), smooth(4), nearly(smooth(20))])
    write_idx(tmp_path / "source" / "test-images-idx3-ubyte", test)
    write_idx(tmp_path / "source" / "test-labels-idx1-ubyte", np.array([0, 1, 0, 1], np.uint8))
    labels = np.array([0, 1, 0, 1, 0, 1, 0], np.uint8)
    images = ingest_pixels(train, labels, tmp_path, dask, "train")
    config = ImageSplitConfig(given={"test": "test"}, train=0.5, validation=0.5, test=0, salt="2")
    split = run_split_images(images, config, tmp_path, dask)
    before = sorted(tmp_path.iterdir())
    found = pairs_across_splits(images, split, NearDuplicatesConfig(max_distance=6), tmp_path, dask).to_pylist()
    assert sorted(tmp_path.iterdir()) == before
    # The repeated picture of the training files is represented by its first; pairs within a split are none.
    assert [(row["source_row"], row["other_source_row"]) for row in found] == [(2, 1), (3, 5)]
    assert found[1]["distance"] == 0
    assert {row["split"] for row in found} == {"test"}
    assert {row["other_split"] for row in found} <= {"train", "validation"}
    assert [(row["label"], row["other_label"]) for row in found] == [(1, 0), (0, 0)]
    assert found[0]["source_file"] == "test-images-idx3-ubyte"
    assert found[0]["other_source_file"] == "train-images-idx3-ubyte"


def test_without_a_leak_the_table_is_empty(tmp_path: Path, dask: DaskConfig):
    pixels = np.stack([smooth(seed) for seed in range(30)])
    images = ingest_pixels(pixels, np.zeros(30, np.uint8), tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(), tmp_path, dask)
    assert pairs_across_splits(images, split, NearDuplicatesConfig(), tmp_path, dask).num_rows == 0
