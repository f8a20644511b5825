import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tasks.data.accounting import read_accounting
from tasks.engine import DaskConfig
from tasks.errors import DataError, SchemaDriftError
from tasks.images import layout as layout_module
from tasks.images.ingest import run_ingest_images
from tasks.images.layout import read_layout
from tasks.images.sources import ImageSourceConfig, find_images
from tests.tasks.images.pictures import (
    SMALL,
    all_pixels,
    encode,
    picture,
    read_all,
    read_quarantine,
    write_arrow,
    write_idx,
)

CONTENT = [encode(picture(seed)) for seed in range(7)]
STRUCTS = pa.array([{"bytes": each, "path": f"{index}.png"} for index, each in enumerate(CONTENT)])
PIXELS = np.stack([picture(seed, channels=1) for seed in range(5)])
LABELS = np.array([1, 0, 1, 1, 0], np.uint8)


@pytest.mark.parametrize("kind", ["parquet", "file", "stream"])
@pytest.mark.parametrize("images", [pa.array(CONTENT), STRUCTS], ids=["bytes", "struct"])
def test_tables_of_encoded_images_are_read(tmp_path: Path, dask: DaskConfig, monkeypatch, kind: str, images: pa.Array):
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 4)
    labels = ["b", "a", "b", "a", "a", "b", "a"]
    table = pa.table({"image": images, "label": labels, "site": [f"s{i % 2}" for i in range(7)]})
    if kind == "parquet":
        pq.write_table(table, tmp_path / "x.parquet", row_group_size=3)
    else:
        write_arrow(tmp_path / "x.arrow", table, stream=kind == "stream")
    source = ImageSourceConfig(
        path=str(tmp_path), format="parquet" if kind == "parquet" else "arrow", group_column="site"
    )
    ingested = run_ingest_images(source, SMALL, tmp_path / "home", dask)
    read = read_all(ingested)
    assert read["label"].to_pylist() == [1, 0, 1, 0, 0, 1, 0]
    assert read["source_row"].to_pylist() == [1, 2, 3, 4, 5, 6, 7]
    assert read["group"].to_pylist() == ["s0", "s1"] * 3 + ["s0"]
    np.testing.assert_array_equal(all_pixels(ingested), np.stack([picture(seed) for seed in range(7)]))


def test_class_names_of_hugging_face_name_integer_labels(tmp_path: Path, dask: DaskConfig):
    features = {"label": {"names": ["zero", "one", "two"], "_type": "ClassLabel"}}
    table = pa.table({"image": STRUCTS, "label": pa.array([2, 0, -1, 0, 2, 5, None], pa.int64())})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "x.parquet")
    images = run_ingest_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), SMALL, tmp_path / "home", dask)
    assert read_layout(images).classes == ("zero", "one", "two")
    assert read_all(images)["label"].to_pylist() == [2, 0, 0, 2]
    quarantine = [(row["rule_id"], row["label"], row["source_row"]) for row in read_quarantine(images)]
    assert quarantine == [("label.unknown", "-1", 3), ("label.unknown", "5", 6), ("label.missing", None, 7)]


def labelled(labels: pa.Array, *names: str) -> pa.Table:
    table = pa.table({"image": CONTENT[: len(labels)], "label": labels})
    features = {"label": {"names": names, "_type": "ClassLabel"}} if names else {}
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            labelled(pa.array([0, 1]), "dog", "cat"),
            "holds integer labels named dog, cat, but a.parquet has integer labels",
        ),
        (labelled(pa.array([0, 1])), "holds integer labels, but a.parquet has integer labels named cat, dog"),
        (labelled(pa.array(["cat", "dog"])), "holds text labels, but"),
    ],
)
def test_files_whose_labels_mean_something_else_are_an_error(tmp_path: Path, second: pa.Table, message: str):
    pq.write_table(labelled(pa.array([0, 1]), "cat", "dog"), tmp_path / "a.parquet")
    pq.write_table(second, tmp_path / "b.parquet")
    with pytest.raises(SchemaDriftError, match=rf"b.parquet: schema drift: column `label` {message}"):
        find_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), 10)


def test_metadata_that_is_no_json_is_an_error(tmp_path: Path):
    table = labelled(pa.array([0, 1])).replace_schema_metadata({"huggingface": "{"})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet: the schema's metadata `huggingface` is no JSON"):
        find_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), 10)


def test_integers_without_names_are_in_the_order_of_numbers(tmp_path: Path):
    pq.write_table(pa.table({"image": CONTENT[:3], "label": [10, 9, 10]}), tmp_path / "x.parquet")
    assert find_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), 10).classes == ("9", "10")


def test_a_null_image_is_quarantined(tmp_path: Path, dask: DaskConfig):
    pq.write_table(pa.table({"image": [CONTENT[0], None], "label": [True, False]}), tmp_path / "x.parquet")
    images = run_ingest_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), SMALL, tmp_path / "home", dask)
    assert read_layout(images).classes == ("false", "true")
    assert read_accounting(images).quarantined == {"image.missing": 1}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"picture": CONTENT, "label": range(7)}), r"lacks column `image`; it has `picture`, `label`"),
        (pa.table({"image": range(7), "label": range(7)}), "column `image` is of type int64; expected encoded bytes"),
        (pa.table({"image": CONTENT, "label": [0.5] * 7}), "column `label` is of type double; a class is"),
        (pa.table({"image": CONTENT, "label": pa.nulls(7, pa.string())}), "no image has a label"),
        (pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.string())}), "the files hold no row"),
    ],
)
def test_a_table_of_another_shape_is_an_error(tmp_path: Path, table: pa.Table, message: str):
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(DataError, match=rf"(?s){message}.*\n  do: "):
        find_images(ImageSourceConfig(path=str(tmp_path), format="parquet"), 10)


@pytest.mark.parametrize(("format_", "name"), [("parquet", "x.parquet"), ("arrow", "x.arrow")])
def test_a_torn_table_is_named(tmp_path: Path, format_: str, name: str):
    table = pa.table({"image": CONTENT, "label": range(7)})
    if format_ == "parquet":
        pq.write_table(table, tmp_path / name)
    else:
        write_arrow(tmp_path / name, table, stream=False)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"{name}: cannot be read"):
        find_images(ImageSourceConfig(path=str(tmp_path), format=format_), 10)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_pairs_are_found_by_name_and_named_by_classes(tmp_path: Path, dask: DaskConfig, suffix: str):
    for pair in ("train", "t10k"):
        write_idx(tmp_path / "src" / f"{pair}-images-idx3-ubyte{suffix}", PIXELS)
        write_idx(tmp_path / "src" / f"{pair}-labels-idx1-ubyte{suffix}", LABELS)
    source = ImageSourceConfig(path=str(tmp_path / "src"), format="idx", classes=("shirt", "shoe"))
    config = SMALL.model_copy(update={"mode": "L"})
    images = run_ingest_images(source, config, tmp_path / "home", dask)
    assert images.rows == 10
    assert read_layout(images).classes == ("shirt", "shoe")
    assert read_all(images)["group"].to_pylist() == ["t10k"] * 5 + ["train"] * 5
    assert read_all(images)["label"].to_pylist() == LABELS.tolist() * 2
    np.testing.assert_array_equal(all_pixels(images)[:5, ..., 0], PIXELS)


def test_idx_in_colour_and_in_stretches(tmp_path: Path):
    pixels = np.stack([picture(seed) for seed in range(5)])
    write_idx(tmp_path / "images-idx4-ubyte", pixels)
    write_idx(tmp_path / "labels-idx1-ubyte", LABELS)
    found = find_images(ImageSourceConfig(path=str(tmp_path), format="idx"), 2)
    records = [record for piece in found.pieces for record in piece.records()]
    assert len(found.pieces) == 3
    assert [record.source_row for record in records] == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(np.stack([record.content for record in records]), pixels)


def torn_idx(folder: Path, which: str, change) -> None:
    write_idx(folder / "a-images-idx3-ubyte", PIXELS)
    write_idx(folder / "a-labels-idx1-ubyte", LABELS)
    path = folder / f"a-{which}-idx{3 if which == 'images' else 1}-ubyte"
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("which", "change", "message"),
    [
        ("images", lambda data: data[:-1], "255 bytes, expected 256 for 5 images of 6 x 8"),
        ("images", lambda data: data + b"x", "257 bytes, expected 256"),
        ("images", lambda data: b"\0\0\x0d\x03" + data[4:], r"magic number 0000 0d03, expected 0000 0803 or 0000 0804"),
        ("images", lambda data: b"\0\0\x08\x01" + data[4:], "look whether images and labels were exchanged"),
        ("images", lambda data: b"", "it ends 4 bytes too early"),
        ("labels", lambda data: data[:-1], "it ends 1 bytes too early"),
        ("labels", lambda data: data + b"x", "it goes on behind what its header announces"),
        ("labels", lambda data: data[:7] + b"\4" + data[8:-1], "4 labels for 5 images"),
    ],
)
def test_a_torn_idx_file_is_an_error_that_names_it(tmp_path: Path, which: str, change, message: str):
    torn_idx(tmp_path, which, change)
    with pytest.raises(DataError, match=rf"(?s)a-{which}-idx.-ubyte: .*{message}"):
        find_images(ImageSourceConfig(path=str(tmp_path), format="idx"), 10)


@pytest.mark.parametrize("change", [lambda data: data[:-20], lambda data: data[:40] + bytes(20) + data[60:]])
def test_a_torn_gzip_is_an_error_that_names_it(tmp_path: Path, change):
    write_idx(tmp_path / "a-labels-idx1-ubyte.gz", LABELS)
    path = write_idx(tmp_path / "a-images-idx3-ubyte.gz", PIXELS)
    path.write_bytes(change(path.read_bytes()))
    (piece,) = find_images(ImageSourceConfig(path=str(tmp_path), format="idx"), 10).pieces
    with pytest.raises(DataError, match=r"a-images-idx3-ubyte.gz: torn: .*\n  do: "):
        list(piece.records())


def test_idx_images_without_labels_are_an_error(tmp_path: Path):
    write_idx(tmp_path / "a-images-idx3-ubyte", PIXELS)
    with pytest.raises(DataError, match="its labels, `a-labels-idx1-ubyte`, are not beside it"):
        find_images(ImageSourceConfig(path=str(tmp_path), format="idx"), 10)
    assert gzip.decompress(write_idx(tmp_path / "b.gz", LABELS).read_bytes())[:4] == b"\0\0\x08\1"


@pytest.mark.parametrize("format_", ["folders", "parquet", "arrow", "idx"])
def test_an_empty_source_is_an_error_that_says_what_was_looked_for(tmp_path: Path, format_: str):
    with pytest.raises(DataError, match=r"there is no such file or folder\n  do: "):
        find_images(ImageSourceConfig(path=str(tmp_path / "none"), format=format_), 10)
    with pytest.raises(DataError, match=r"no file.* is there\n  do: "):
        find_images(ImageSourceConfig(path=str(tmp_path), format=format_), 10)
    (tmp_path / "a.png").write_bytes(b"")
    if format_ != "folders":
        with pytest.raises(DataError, match=r"(no file that ends in|no images are there).*\n  do: "):
            find_images(ImageSourceConfig(path=str(tmp_path), format=format_), 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("a", "a")}, "listed twice: a"),
        ({"group_pattern": "(a"}, "is no regular expression"),
        ({"group_pattern": "a"}, "has 0 groups"),
        ({"label_column": "y"}, "label_column: belongs to another format than `folders`"),
        ({"format": "idx", "class_folder": 1}, "class_folder: belongs to another format"),
        ({"format": "parquet", "group_column": "a", "group_pattern": "(a)"}, "only one of them"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(change: dict, message: str):
    with pytest.raises(ValidationError, match=message):
        ImageSourceConfig(**{"path": "x", "format": "folders", **change})
