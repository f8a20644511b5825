import errno
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.data import rewrite
from tasks.data.clean import CleanConfig, run_clean
from tasks.data.ingest import SourceConfig, run_ingest
from tasks.data.outcomes import ValidateConfig
from tasks.data.partitions import read_manifest
from tasks.data.sizing import PartitionSize
from tasks.data.validate import run_validate
from tasks.errors import DataError, DiskFullError, IntegrityError, SchemaDriftError
from tests.tasks.data.tables import contract_of, ingest, read_all, write_parquet

CONTRACT = contract_of({"id": "integer", "word": "string"})
TABLE = pa.table({"id": list(range(2500)), "word": ["a"] * 2500, "more": [1.0] * 2500})


def test_parquet_is_read_where_it_lies_by_row_group(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "src" / "a.parquet", TABLE)
    raw = ingest(tmp_path / "src", CONTRACT, tmp_path / "home", dask)
    manifest = read_manifest(raw)
    assert [(each.path, each.row_group, each.rows) for each in manifest.partitions] == [
        (str(path), 0, 1000),
        (str(path), 1, 1000),
        (str(path), 2, 500),
    ]
    assert manifest.columns == {"id": "int64", "word": "string"}
    assert raw.rows == 2500
    assert [each.name for each in Path(raw.path).iterdir()] == ["manifest.json"]


def test_the_digest_depends_on_content_and_names_not_on_the_place(tmp_path: Path, dask):
    refs = []
    for folder, name in (("one", "a"), ("two", "a"), ("three", "b")):
        write_parquet(tmp_path / folder / f"{name}.parquet", TABLE)
        refs.append(ingest(tmp_path / folder, CONTRACT, tmp_path / "home", dask))
    assert refs[0].digest == refs[1].digest != refs[2].digest
    assert read_manifest(refs[1]).partitions[0].path.startswith(str(tmp_path / "two"))
    write_parquet(tmp_path / "one" / "a.parquet", TABLE.slice(1))
    assert ingest(tmp_path / "one", CONTRACT, tmp_path / "home", dask).digest != refs[0].digest


def test_row_groups_too_large_for_memory_are_rewritten(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setattr("tasks.data.ingest.partition_size", lambda *_: PartitionSize(700, 2000))
    write_parquet(tmp_path / "a.parquet", TABLE, row_group=2500)
    raw = run_ingest(SourceConfig(path=str(tmp_path / "a.parquet")), CONTRACT, tmp_path / "home", dask)
    assert [each.rows for each in read_manifest(raw).partitions] == [700, 700, 700, 400]
    assert read_all(raw).equals(TABLE.select(["id", "word"]))


def test_small_row_groups_are_joined_and_read_as_one(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setattr("tasks.data.ingest.partition_size", lambda *_: PartitionSize(1000, 4000))
    write_parquet(tmp_path / "a.parquet", TABLE, row_group=300)
    raw = run_ingest(SourceConfig(path=str(tmp_path)), CONTRACT, tmp_path / "home", dask)
    found = [(each.row_group, each.row_groups, each.rows) for each in read_manifest(raw).partitions]
    assert found == [(0, 3, 900), (3, 3, 900), (6, 3, 700)]
    assert read_all(raw).equals(TABLE)


def test_the_size_of_partitions_changes_no_row(tmp_path: Path, dask, monkeypatch):
    path, tables = write_parquet(tmp_path / "a.parquet", TABLE, row_group=300), []
    for size in (PartitionSize(100, 200), PartitionSize(700, 2800), PartitionSize(10_000, 40_000)):
        monkeypatch.setattr("tasks.data.ingest.partition_size", lambda *_, size=size: size)
        raw = run_ingest(SourceConfig(path=str(path)), CONTRACT, tmp_path / "home", dask)
        validation = run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
        tables.append(read_all(run_clean(raw, validation, CONTRACT, CleanConfig(), tmp_path / "home", dask)))
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert tables[0].num_rows == 2500


def test_long_texts_make_smaller_row_groups(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setattr(rewrite, "TARGET_BYTES", 10_000)
    monkeypatch.setattr(rewrite, "_BLOCK", 4_000)
    (tmp_path / "a.csv").write_text("id,word\n" + "".join(f"{row},{'x' * 1000}\n" for row in range(50)))
    raw = ingest(tmp_path / "a.csv", CONTRACT, tmp_path / "home", dask)
    assert len(read_manifest(raw).partitions) > 3
    assert read_all(raw)["id"].to_pylist() == [str(row) for row in range(50)]


def test_csv_plain_and_gzipped_becomes_parquet_of_text(tmp_path: Path, dask):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.csv").write_bytes(b'\xef\xbb\xbfword,more,id\n"x, y",1,007\n"two\nlines",2,\n')
    with gzip.open(tmp_path / "src" / "b.csv.gz", "wt") as file:
        file.write("more,id,word\n,3,NA\n")
    raw = ingest(tmp_path / "src", CONTRACT, tmp_path / "home", dask)
    assert read_all(raw).to_pydict() == {"id": ["007", "", "3"], "word": ["x, y", "two\nlines", "NA"]}
    assert sorted(read_manifest(raw).sources.values()) == ["a.csv", "b.csv.gz"]


def test_csv_in_another_delimiter_and_encoding(tmp_path: Path, dask):
    (tmp_path / "a.csv").write_bytes("id;word\n1;für\n".encode("latin-1"))
    source = SourceConfig(path=str(tmp_path / "a.csv"), delimiter=";", encoding="latin-1")
    assert read_all(run_ingest(source, CONTRACT, tmp_path / "home", dask)).to_pydict() == {"id": ["1"], "word": ["für"]}
    with pytest.raises(DataError, match=r"a.csv: cannot be read as csv.*\n  do: .*source.encoding"):
        run_ingest(source.model_copy(update={"encoding": "utf-8"}), CONTRACT, tmp_path / "home", dask)


def test_rows_that_cannot_be_split_are_kept_apart(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setattr(rewrite, "_BROKEN_AT_ONCE", 2)
    (tmp_path / "a.csv").write_text("id,word\n1,a\nbroken\n2,b\n3,c,more\n4,d,5,6\n5,e\n")
    raw = ingest(tmp_path / "a.csv", CONTRACT, tmp_path / "home", dask)
    manifest = read_manifest(raw)
    assert raw.rows == 3
    assert manifest.broken_rows == 3
    broken = pq.read_table(Path(raw.path) / "broken" / "a.csv.parquet").to_pydict()
    assert broken == {
        "source_file": ["a.csv"] * 3,
        "source_row": [2, 4, 5],
        "source_text": ["broken", "3,c,more", "4,d,5,6"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv: the file is empty"),
        (b"\n1,2\n", "a.csv:1: no header"),
        (b"id,word\n", "the files hold columns but no row"),
        (b"id,word\nbroken\n", r"no row \(1 rows of CSV could not be split"),
        (b"id,id,word\n1,2,3\n", "a.csv: columns that occur more than once: `id`"),
        (b"id,wrod\n1,a\n", r"a.csv: columns of contract small that the file lacks: `word` \(nearest: `wrod`\)"),
    ],
)
def test_bad_csv_is_an_error_that_names_it(tmp_path: Path, dask, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        ingest(tmp_path / "a.csv", CONTRACT, tmp_path / "home", dask)
    assert list((tmp_path / "home" / "datasets").iterdir()) == []


@pytest.mark.parametrize("keep", [0, 100, -10])
def test_a_truncated_parquet_is_an_error_that_names_it(tmp_path: Path, dask, keep):
    path = write_parquet(tmp_path / "a.parquet", TABLE)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"a.parquet: (not a whole Parquet file|the file is empty).*\n?.*do: "):
        ingest(path, CONTRACT, tmp_path / "home", dask)


def test_a_file_of_another_schema_is_an_error(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"colour": ["red"]}))
    with pytest.raises(DataError, match=r"lacks: `id`, `word`; it has `colour`\n  do: "):
        ingest(path, CONTRACT, tmp_path / "home", dask)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (pa.table({"id": [1]}), "b.parquet: schema drift: column `word` is missing, but a.parquet has it"),
        (
            pa.table({"id": ["1"], "word": ["a"]}),
            "b.parquet: schema drift: column `id` holds text values, but a.parquet has numeric",
        ),
    ],
)
def test_schema_drift_names_the_file_and_the_column(tmp_path: Path, dask, second, message):
    write_parquet(tmp_path / "src" / "a.parquet", TABLE)
    write_parquet(tmp_path / "src" / "b.parquet", second)
    with pytest.raises(SchemaDriftError, match=message):
        ingest(tmp_path / "src", CONTRACT, tmp_path / "home", dask)


def test_widths_nulls_and_further_columns_are_no_drift(tmp_path: Path, dask):
    write_parquet(tmp_path / "src" / "a.parquet", pa.table({"id": pa.array([1], pa.int32()), "word": pa.nulls(1)}))
    dictionary = pa.array(["x"]).dictionary_encode()
    write_parquet(tmp_path / "src" / "b.parquet", pa.table({"extra": [1], "word": dictionary, "id": [1.0]}))
    assert ingest(tmp_path / "src", CONTRACT, tmp_path / "home", dask).rows == 2


def test_a_full_disk_while_rewriting_leaves_nothing(tmp_path: Path, dask, monkeypatch):
    def no_space(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.csv").write_text("id,word\n1,a\n")
    monkeypatch.setattr(pq.ParquetWriter, "write_table", no_space)
    with pytest.raises(DiskFullError, match="no space is left"):
        ingest(tmp_path / "a.csv", CONTRACT, tmp_path / "home", dask)
    assert list((tmp_path / "home" / "datasets").iterdir()) == []


def test_a_source_that_vanishes_is_named_when_it_is_read(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", TABLE)
    raw = ingest(path, CONTRACT, tmp_path / "home", dask)
    path.unlink()
    with pytest.raises(IntegrityError, match=r"a.parquet, row group 0: cannot be read any more"):
        read_all(raw)
    (Path(raw.path) / "manifest.json").unlink()
    with pytest.raises(IntegrityError, match="the dataset is gone"):
        read_manifest(raw)
