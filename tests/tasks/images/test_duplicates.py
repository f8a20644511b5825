from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tasks.data.accounting import read_accounting
from tasks.data.partitions import read_manifest
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.images import layout as layout_module
from tasks.images import search
from tasks.images.duplicates import ImageDuplicatesConfig, NearDuplicatesConfig, run_deduplicate_images
from tasks.images.hashing import hash_perceptually
from tasks.references import DatasetRef
from tests.tasks.images.pictures import all_pixels, ingest_pixels, nearly, read_all, read_quarantine, smooth


@dataclass(frozen=True)
class Known:
    """Ten pictures: row 4 repeats row 1, row 7 repeats rows 2 and 5 with another label, row 8 is nearly row 0."""

    images: DatasetRef
    home: Path
    dask: DaskConfig

    def deduplicated(self, **config: object) -> DatasetRef:
        return run_deduplicate_images(self.images, ImageDuplicatesConfig(**config), self.home, self.dask)


@pytest.fixture
def known(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch) -> Known:
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 3)
    pictures = [smooth(seed) for seed in (0, 1, 2, 3, 1, 2, 6, 2, 0, 9)]
    pictures[8] = nearly(pictures[8])
    labels = np.array([0, 1, 0, 1, 1, 0, 1, 1, 0, 1], np.uint8)
    return Known(ingest_pixels(np.stack(pictures), labels, tmp_path, dask), tmp_path, dask)


def rows_of(images: DatasetRef) -> list[int]:
    return [row - 1 for row in read_all(images)["source_row"].to_pylist()]


def dropped(images: DatasetRef) -> list[tuple[str, int, int]]:
    found = pq.read_table(images.folder / "duplicates.parquet").to_pylist()
    return [(row["kind"], row["source_row"] - 1, row["like_row"] - 1) for row in found]


def test_equal_pixels_stay_once_and_conflicting_labels_are_quarantined(known: Known):
    images = known.deduplicated()
    assert rows_of(images) == [0, 1, 3, 6, 8, 9]
    assert dropped(images) == [("exact", 4, 1)]
    conflicts = read_quarantine(images)
    assert [(row["source_row"] - 1, row["label"]) for row in conflicts] == [(2, "0"), (5, "0"), (7, "1")]
    assert conflicts[2]["detail"] == "same pixels as all-images-idx3-ubyte, row 3, of class 0"
    accounting = read_accounting(images)
    assert (accounting.rows_in, accounting.kept, accounting.duplicates) == (10, 6, 1)
    assert accounting.quarantined == {"duplicate.label_conflict": 3}


def test_what_stays_of_equal_pixels_is_chosen(known: Known):
    assert rows_of(known.deduplicated(exact="last")) == [0, 3, 4, 6, 8, 9]
    assert dropped(known.deduplicated(exact="last")) == [("exact", 1, 4)]
    assert rows_of(known.deduplicated(exact="none")) == [0, 3, 6, 8, 9]
    assert dropped(known.deduplicated(exact="none")) == [("exact", 1, 4), ("exact", 4, 1)]
    assert rows_of(known.deduplicated(exact="ignore")) == list(range(10))


@pytest.mark.parametrize("kind", ["frequency", "difference"])
@pytest.mark.parametrize(
    ("keep", "stays", "gone"),
    [
        ("first", [0, 1, 3, 6, 9], [("exact", 4, 1), ("near", 8, 0)]),
        ("last", [1, 3, 6, 8, 9], [("near", 0, 8), ("exact", 4, 1)]),
        ("none", [1, 3, 6, 9], [("near", 0, 8), ("exact", 4, 1), ("near", 8, 0)]),
    ],
)
def test_near_duplicates_over_all_partitions(known: Known, kind, keep, stays, gone):
    images = known.deduplicated(near={"hash": kind, "max_distance": 6, "keep": keep})
    assert rows_of(images) == stays
    assert dropped(images) == gone


def test_the_same_bytes_whatever_the_threads_and_buckets(known: Known, monkeypatch: pytest.MonkeyPatch):
    config = ImageDuplicatesConfig(near=NearDuplicatesConfig(max_distance=6))
    one = run_deduplicate_images(known.images, config, known.home, DaskConfig(threads=1))
    monkeypatch.setattr(search, "IMAGES_PER_BUCKET", 2)
    again = run_deduplicate_images(known.images, config, known.home / "again", DaskConfig(threads=3))
    assert one.digest == again.digest
    assert read_manifest(one) == read_manifest(again)


@pytest.mark.parametrize("keep", ["first", "last", "none"])
@pytest.mark.parametrize("bucket", [15, 1000])
def test_what_stays_is_far_apart_in_a_crowd(tmp_path: Path, dask: DaskConfig, monkeypatch, keep, bucket):
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 16)
    monkeypatch.setattr(search, "IMAGES_PER_BUCKET", bucket)
    draw = np.random.default_rng(3)
    base = [smooth(seed, 16) for seed in range(12)]
    crowd = np.stack([base[index] for index in draw.integers(0, 12, 40)])
    crowd[draw.random(crowd.shape) < 0.01] += 40
    images = ingest_pixels(crowd, np.zeros(40, np.uint8), tmp_path, dask)
    config = ImageDuplicatesConfig(exact="ignore", near={"max_distance": 6, "keep": keep})
    kept = rows_of(run_deduplicate_images(images, config, tmp_path, dask))
    hashes = hash_perceptually(all_pixels(images), "frequency")
    near = (np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= 6) & ~np.eye(40, dtype=bool)
    if keep == "none":
        assert kept == np.flatnonzero(~near.any(axis=1)).tolist()
        return
    stays = np.zeros(40, bool)
    for row in range(40) if keep == "first" else reversed(range(40)):
        stays[row] = not (near[row] & stays).any()
    assert kept == np.flatnonzero(stays).tolist()


def test_images_that_are_all_alike_with_none_kept_are_an_error(tmp_path: Path, dask: DaskConfig):
    images = ingest_pixels(np.stack([smooth(1)] * 4), np.zeros(4, np.uint8), tmp_path, dask)
    with pytest.raises(DataError, match=r"none of 4 images stays\n  do: "):
        run_deduplicate_images(images, ImageDuplicatesConfig(exact="none"), tmp_path, dask)
    assert not [path for path in (tmp_path / "datasets").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"near": {"max_distance": 11}}, "less than or equal to 10"),
        ({"near": {"hash": "sha"}}, "Input should be 'difference' or 'frequency'"),
        ({"exact": "any"}, "Input should be"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(config, message):
    with pytest.raises(ValidationError, match=message):
        ImageDuplicatesConfig(**config)
