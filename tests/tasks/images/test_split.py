from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tasks.data.accounting import read_accounting
from tasks.data.partitions import read_manifest
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.images import layout as layout_module
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.references import DatasetRef, SplitRef
from tests.tasks.images.pictures import (
    encode,
    ingest_folders,
    ingest_pixels,
    picture,
    read_all,
    write_folders,
    write_idx,
)


def codes_of(images: DatasetRef, split: SplitRef) -> np.ndarray:
    return np.concatenate([read_codes(split, index) for index in range(len(read_manifest(images).partitions))])


def many(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 3), dtype=np.uint8)


def test_equal_pixels_share_a_split_and_shares_are_kept(tmp_path: Path, dask: DaskConfig):
    pixels = np.concatenate([many(1500), many(1500)])
    images = ingest_pixels(pixels, np.zeros(3000, np.uint8), tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(train=0.5, validation=0.3, test=0.2), tmp_path, dask)
    codes = codes_of(images, split)
    np.testing.assert_array_equal(codes[:1500], codes[1500:])
    assert np.allclose(np.bincount(codes) / 3000, [0.5, 0.3, 0.2], atol=0.04)
    assert split.rows == {**dict(zip(SPLITS, np.bincount(codes).tolist(), strict=True)), "without_target": 0}
    assert read_accounting(images, split).splits == dict(zip(SPLITS, np.bincount(codes).tolist(), strict=True))


def test_an_image_never_moves_when_images_are_added(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    few = ingest_pixels(many(200), np.zeros(200, np.uint8), tmp_path / "few", dask)
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 64)
    pixels = np.concatenate([many(300, seed=5), many(200)])
    more = ingest_pixels(pixels, np.zeros(500, np.uint8), tmp_path / "more", dask)
    small, large = (codes_of(each, run_split_images(each, ImageSplitConfig(), tmp_path, dask)) for each in (few, more))
    np.testing.assert_array_equal(small, large[300:])


def test_a_salt_gives_another_split(tmp_path: Path, dask: DaskConfig):
    images = ingest_pixels(many(300), np.zeros(300, np.uint8), tmp_path, dask)
    first, second = (run_split_images(images, ImageSplitConfig(salt=salt), tmp_path, dask) for salt in ("", "other"))
    assert (codes_of(images, first) != codes_of(images, second)).any()


def test_given_groups_keep_their_split(tmp_path: Path, dask: DaskConfig):
    write_idx(tmp_path / "source" / "t10k-images-idx3-ubyte", many(50))
    write_idx(tmp_path / "source" / "t10k-labels-idx1-ubyte", np.zeros(50, np.uint8))
    images = ingest_pixels(many(300, seed=1), np.zeros(300, np.uint8), tmp_path, dask, "train")
    config = ImageSplitConfig(given={"t10k": "test"}, train=0.8, validation=0.2, test=0)
    split = run_split_images(images, config, tmp_path, dask)
    groups = np.array(read_all(images)["group"].to_pylist())
    np.testing.assert_array_equal(codes_of(images, split) == 2, groups == "t10k")
    assert split.rows["validation"] > 20


def test_groups_stay_together(tmp_path: Path, dask: DaskConfig):
    files = {
        f"cat/p{patient}_{shot}.png": encode(picture(patient * 10 + shot)) for patient in range(30) for shot in (1, 2)
    }
    write_folders(tmp_path / "src", files)
    images = ingest_folders(tmp_path / "src", tmp_path, dask, group_pattern=r"/(p\d+)_")
    split = run_split_images(images, ImageSplitConfig(method="group"), tmp_path, dask)
    codes = codes_of(images, split)
    groups = read_all(images)["group"].to_pylist()
    assert len({(group, code) for group, code in zip(groups, codes.tolist(), strict=True)}) == 30


def test_what_cannot_be_split_is_an_error_that_says_so(tmp_path: Path, dask: DaskConfig):
    files = {f"cat/{name}.png": encode(picture(seed)) for seed, name in enumerate(["p1_a", "stray", "p2_a"])}
    images = ingest_folders(write_folders(tmp_path / "src", files), tmp_path, dask, group_pattern=r"(p\d+)_")
    with pytest.raises(
        DataError, match=r"1 images of one partition have no group, such as those of cat/stray.png\n  do"
    ):
        run_split_images(images, ImageSplitConfig(method="group"), tmp_path, dask)
    with pytest.raises(DataError, match=r"no image falls into .*\n  do: "):
        run_split_images(images, ImageSplitConfig(train=0.001, validation=0.001, test=0.998), tmp_path, dask)
    with pytest.raises(DataError, match=r"split.given: no image has the group `p9`\n  do: "):
        run_split_images(images, ImageSplitConfig(given={"p9": "test"}), tmp_path, dask)
    assert list((tmp_path / "splits").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": 0.9}, "must add up to 1, got 1.2"),
        ({"train": 0.85, "test": 0}, "test: a share of 0, and no group is given to it"),
        ({"given": {"a": "tset"}}, "Input should be 'train', 'validation' or 'test'"),
        ({"method": "time"}, "Input should be 'content' or 'group'"),
    ],
)
def test_a_split_that_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        ImageSplitConfig(**change)
