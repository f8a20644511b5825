from pathlib import Path

import pyarrow as pa
import pytest

from tasks.data.partitions import (
    DATASETS,
    Manifest,
    Partition,
    manifest_digest,
    part_name,
    read_manifest,
    read_partition,
    stored,
    write_manifest,
    write_partition,
)
from tasks.errors import IntegrityError
from tasks.storage import new_folder


def _store(home: Path, table: pa.Table):
    with new_folder(home / DATASETS, manifest_digest) as folder:
        written = write_partition(folder, part_name(0), table, "train")
        manifest = Manifest(
            columns={name: str(table[name].type) for name in table.column_names},
            partitions=(written.partition,),
            digests={written.partition.path: written.digest},
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def test_a_dataset_comes_back_as_it_was_written(tmp_path: Path):
    table = pa.table({"z": [1, 2], "a": ["x", None]})
    dataset = _store(tmp_path, table)
    manifest = read_manifest(dataset)
    assert Path(dataset.path).name == dataset.digest
    assert list(manifest.columns) == ["z", "a"]
    assert manifest.of_split("train") == manifest.partitions
    assert manifest.of_split("test") == ()
    assert dataset.rows == manifest.rows == 2
    assert read_partition(Path(dataset.path), manifest.partitions[0]).equals(table)
    assert read_partition(Path(dataset.path), manifest.partitions[0], ["a", "z"]).column_names == ["a", "z"]


def test_equal_content_has_one_digest(tmp_path: Path):
    first, second = (_store(tmp_path / place, pa.table({"a": [1]})) for place in ("one", "two"))
    assert first.digest == second.digest
    assert _store(tmp_path / "one", pa.table({"a": [2]})).digest != first.digest


def test_sources_count_by_name_not_by_place():
    def manifest(place: str, name: str) -> Manifest:
        return Manifest(
            columns={"a": "int64"},
            partitions=(Partition(path=place, row_group=0, rows=1),),
            digests={place: "d"},
            sources={place: name},
        )

    assert manifest("/here/a.parquet", "a.parquet").digest == manifest("/there/a.parquet", "a.parquet").digest
    assert manifest("/here/a.parquet", "a.parquet").digest != manifest("/here/a.parquet", "b.parquet").digest


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_a_damaged_partition_is_named(tmp_path: Path, damage: str):
    dataset = _store(tmp_path, pa.table({"a": list(range(100))}))
    path = Path(dataset.path) / part_name(0)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(IntegrityError, match=r"part-00000.parquet, row group 0: cannot be read any more: .*\n?.*do: "):
        read_partition(Path(dataset.path), Partition(path=part_name(0), row_group=0, rows=100))


@pytest.mark.parametrize("dictionaries", [False, True])
def test_views_of_texts_come_as_texts(tmp_path: Path, dictionaries):
    table = pa.table({"word": pa.array(["a", None, "b"], pa.string_view()), "n": [1, 2, 3]})
    write_partition(tmp_path, "a.parquet", table)
    read = read_partition(
        tmp_path, Partition(path="a.parquet", row_group=0, rows=3), ["n", "word"], dictionaries=dictionaries
    )
    assert read.schema.types == [pa.int64(), pa.string()]
    assert read["word"].to_pylist() == ["a", None, "b"]
