from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tasks.data.arrow_files import ARROW
from tasks.data.partitions import part_name, read_manifest, write_partition
from tasks.data.split import SPLITS
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.images import layout as layout_module
from tasks.images.augment.materialize import ImageCopiesConfig, run_augment_images
from tasks.images.hashing import hash_pixels
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.references import DatasetRef, SplitRef
from tests.tasks.images.pictures import all_pixels, ingest_pixels, read_all
from tests.tasks.images.test_split import codes_of, many

CONFIG = ImageCopiesConfig(copies=2, seed=3, augment={"flip": {"horizontal": 0.5}, "noise": {"std": 0.2}})


@pytest.fixture
def split(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch) -> tuple[DatasetRef, SplitRef]:
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 70)
    images = ingest_pixels(many(300), np.arange(300, dtype=np.uint8) % 7, tmp_path, dask)
    return images, run_split_images(images, ImageSplitConfig(), tmp_path, dask)


def test_no_augmented_row_has_a_parent_outside_the_training_split(tmp_path: Path, dask: DaskConfig, split):
    images, codes = split[0], codes_of(*split)
    augmented = run_augment_images(*split, CONFIG, tmp_path, dask)
    table = read_all(augmented)
    train = np.flatnonzero(codes == SPLITS.index("train"))
    assert table["parent_row"].to_pylist() == train.tolist() * 2
    assert table["copy"].to_pylist() == [1] * len(train) + [2] * len(train)
    parents = read_all(images).take(table["parent_row"])
    for name in ("label", "group", "source_file", "source_row"):
        assert table[name].to_pylist() == parents[name].to_pylist()
    assert table["content"].to_pylist() == hash_pixels(all_pixels(augmented))
    assert {each.split for each in read_manifest(augmented).partitions} == {"train"}


def test_copies_differ_from_their_parents_and_from_each_other(tmp_path: Path, dask: DaskConfig, split):
    augmented = run_augment_images(*split, CONFIG, tmp_path, dask)
    first, second = np.split(all_pixels(augmented), 2)
    parents = all_pixels(split[0])[codes_of(*split) == 0]
    assert (first != second).any(axis=(1, 2, 3)).mean() > 0.9
    assert (first != parents).any(axis=(1, 2, 3)).mean() > 0.9


def test_the_same_bytes_whatever_the_threads_and_another_seed_gives_others(tmp_path: Path, dask: DaskConfig, split):
    first = run_augment_images(*split, CONFIG, tmp_path / "a", DaskConfig(threads=1))
    again = run_augment_images(*split, CONFIG, tmp_path / "b", DaskConfig(threads=3))
    other = run_augment_images(*split, CONFIG.model_copy(update={"seed": 4}), tmp_path / "c", dask)
    assert first.digest == again.digest != other.digest


def test_a_training_split_without_images_is_an_error(tmp_path: Path, dask: DaskConfig, split):
    images, _ = split
    for index, partition in enumerate(read_manifest(images).partitions):
        codes = np.full(partition.rows, SPLITS.index("test"), np.uint8)
        write_partition(tmp_path / "codes", part_name(index, ARROW), pa.table({"split": codes}))
    nothing = SplitRef(path=str(tmp_path / "codes"), digest="0" * 64, rows={})
    with pytest.raises(DataError, match=r"augment images: the training split has no image\n  do: "):
        run_augment_images(images, nothing, CONFIG, tmp_path, dask)


def test_mixing_is_refused_for_copies():
    with pytest.raises(ValidationError, match="mixup and cutmix give soft targets"):
        ImageCopiesConfig(augment={"mixup": {}})
