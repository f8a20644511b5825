import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.data.accounting import read_accounting
from tasks.data.partitions import read_manifest
from tasks.engine import DaskConfig
from tasks.errors import DataError, DiskFullError, IntegrityError
from tasks.images import layout as layout_module
from tasks.images.ingest import ImageConfig
from tasks.images.layout import read_layout
from tests.tasks.images.pictures import (
    all_pixels,
    encode,
    ingest_folders,
    ingest_pixels,
    picture,
    read_all,
    read_quarantine,
    smooth,
    write_folders,
)

GOOD = {f"{label}/{seed}.png": encode(picture(seed)) for seed, label in enumerate(["cat", "cat", "dog", "emu", "dog"])}


def test_good_images_become_fixed_shape_pixels_with_their_places(tmp_path: Path, dask: DaskConfig):
    images = ingest_folders(write_folders(tmp_path / "src", GOOD), tmp_path / "home", dask)
    assert read_layout(images).classes == ("cat", "dog", "emu")
    table = read_all(images)
    assert table["source_file"].to_pylist() == ["cat/0.png", "cat/1.png", "dog/2.png", "dog/4.png", "emu/3.png"]
    assert table["label"].to_pylist() == [0, 0, 1, 1, 2]
    assert set(table["source_row"].to_pylist()) == {1}
    np.testing.assert_array_equal(all_pixels(images), np.stack([picture(seed) for seed in (0, 1, 2, 4, 3)]))


def test_every_bad_image_goes_to_the_quarantine_and_the_account_adds_up(tmp_path: Path, dask: DaskConfig):
    png = encode(picture(9))
    bad = {
        "cat/empty.png": (b"", "image.empty"),
        "cat/cut.png": (encode(picture(9, 64, 48))[:-300], "image.truncated"),
        "cat/notes.txt": (b"hello", "image.unknown_extension"),
        "cat/text.jpg": (b"hello", "image.unreadable"),
        "dog/large.png": (encode(picture(9, 9)), "image.size"),
        "dog/alpha.png": (encode(np.zeros((6, 8, 4), np.uint8)), "image.mode"),
        "stray.png": (png, "label.missing"),
    }
    write_folders(tmp_path / "src", GOOD | {name: content for name, (content, _) in bad.items()})
    images = ingest_folders(tmp_path / "src", tmp_path / "home", dask)
    rows = {row["source_file"]: row for row in read_quarantine(images)}
    assert {name: row["rule_id"] for name, row in rows.items()} == {name: rule for name, (_, rule) in bad.items()}
    assert (
        rows["dog/large.png"] | {"detail": "9 x 6, expected 8 x 6", "label": "dog", "source_row": 1}
        == rows["dog/large.png"]
    )
    accounting = read_accounting(images)
    assert (accounting.rows_in, accounting.kept, accounting.duplicates) == (12, 5, 0)
    assert accounting.quarantined == dict.fromkeys(sorted(rule for _, rule in bad.values()), 1)


def test_hidden_files_are_no_data(tmp_path: Path, dask: DaskConfig):
    write_folders(tmp_path / "src", GOOD | {"cat/.DS_Store": b"x", "_work/a.png": b"x"})
    assert read_accounting(ingest_folders(tmp_path / "src", tmp_path / "home", dask)).rows_in == 5


def test_the_digest_depends_on_names_and_content_not_on_place_or_threads(tmp_path: Path, dask: DaskConfig):
    write_folders(tmp_path / "one", GOOD)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first = ingest_folders(tmp_path / "one", tmp_path / "home", dask)
    again = ingest_folders(tmp_path / "two", tmp_path / "other", DaskConfig(threads=1))
    assert first.digest == again.digest
    assert (Path(again.path) / "part-00000-00000.parquet").read_bytes() == (
        Path(first.path) / "part-00000-00000.parquet"
    ).read_bytes()
    (tmp_path / "two" / "cat" / "0.png").write_bytes(encode(picture(77)))
    assert ingest_folders(tmp_path / "two", tmp_path / "home", dask).digest != first.digest


def test_partitions_are_bounded_and_in_order(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 2)
    images = ingest_folders(write_folders(tmp_path / "src", GOOD), tmp_path / "home", dask)
    assert [each.rows for each in read_manifest(images).partitions] == [2, 2, 1]
    assert len(set(read_all(images)["source_file"].to_pylist())) == 5


def test_a_given_list_of_classes_decides_positions_and_refuses_others(tmp_path: Path, dask: DaskConfig):
    write_folders(tmp_path / "src", GOOD)
    images = ingest_folders(tmp_path / "src", tmp_path / "home", dask, classes=("dog", "cat", "fox"))
    assert read_layout(images).classes == ("dog", "cat", "fox")
    assert read_all(images)["label"].to_pylist() == [1, 1, 0, 0]
    (row,) = read_quarantine(images)
    assert (row["rule_id"], row["label"]) == ("label.unknown", "emu")


def test_class_and_group_come_from_the_path(tmp_path: Path, dask: DaskConfig):
    places = [(part, *who) for part in ("train", "test") for who in (("cat", "ann"), ("dog", "bob"))]
    files = {
        f"{part}/{label}/{who}-{part}.png": encode(picture(seed)) for seed, (part, label, who) in enumerate(places)
    }
    write_folders(tmp_path / "src", files)
    images = ingest_folders(tmp_path / "src", tmp_path / "home", dask, class_folder=1, group_pattern=r"/(\w+)-")
    table = read_all(images)
    assert read_layout(images).classes == ("cat", "dog")
    assert table["group"].to_pylist() == ["ann", "bob", "ann", "bob"]


def test_a_source_without_any_good_image_is_an_error_that_counts(tmp_path: Path, dask: DaskConfig):
    write_folders(tmp_path / "src", {"cat/a.png": b"", "cat/b.png": b"no"})
    with pytest.raises(DataError, match=r"none of 2 images can be taken: image.empty 1, image.unreadable 1\n  do: "):
        ingest_folders(tmp_path / "src", tmp_path / "home", dask)
    assert list((tmp_path / "home" / "datasets").iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    def no_space(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_folders(tmp_path / "src", GOOD)
    monkeypatch.setattr("tasks.images.ingest.write_partition", no_space)
    with pytest.raises(DiskFullError, match="no space is left"):
        ingest_folders(tmp_path / "src", tmp_path / "home", dask)
    assert list((tmp_path / "home" / "datasets").iterdir()) == []


def test_idx_pixels_need_no_copy_and_no_decoder(tmp_path: Path, dask: DaskConfig):
    pixels = np.stack([smooth(seed) for seed in range(5)])
    images = ingest_pixels(pixels, np.array([3, 0, 3, 1, 0], np.uint8), tmp_path, dask)
    np.testing.assert_array_equal(all_pixels(images)[..., 0], pixels)
    assert read_layout(images).classes == ("0", "1", "3")
    table = read_all(images)
    assert table["label"].to_pylist() == [2, 0, 2, 1, 0]
    assert table["source_row"].to_pylist() == [1, 2, 3, 4, 5]
    assert set(table["group"].to_pylist()) == {"all"}


def test_a_layout_that_is_gone_is_named(tmp_path: Path, dask: DaskConfig):
    images = ingest_folders(write_folders(tmp_path / "src", GOOD), tmp_path / "home", dask)
    (images.folder / "images.json").unlink()
    with pytest.raises(IntegrityError, match="the layout of the images is gone"):
        read_layout(images)


def test_images_are_decoded_at_their_size_and_mode(tmp_path: Path, dask: DaskConfig):
    write_folders(
        tmp_path / "src", {"a/1.jpg": encode(picture(1, 40, 30), "JPEG"), "a/2.gif": encode(picture(2), "GIF")}
    )
    config = ImageConfig(width=16, height=16, mode="L", resize="crop")
    images = ingest_folders(tmp_path / "src", tmp_path / "home", dask, config)
    assert all_pixels(images).shape == (2, 16, 16, 1)
    assert Image.open(tmp_path / "src" / "a" / "2.gif").mode == "P"
