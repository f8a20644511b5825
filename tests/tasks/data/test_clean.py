import datetime as dt
import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.contract import Column, Privacy, RowRule
from tasks.data import arrow_files
from tasks.data.accounting import read_accounting
from tasks.data.clean import CleanConfig, run_clean
from tasks.data.ingest import run_ingest
from tasks.data.outcomes import ValidateConfig
from tasks.data.partitions import read_manifest
from tasks.data.sources import SourceConfig
from tasks.data.validate import run_validate
from tasks.errors import DataError, DiskFullError, IntegrityError
from tasks.storage import remove_folder
from tests.tasks.data.tables import clean_dataset, contract_of, ingest, read_all, write_parquet

CONTRACT = contract_of(
    {"id": "integer", "word": "string", "at": "timestamp"},
    key=("id",),
    rules=(RowRule(id="short", column="word", kind="max_length", argument=3),),
)


def test_clean_rows_are_typed_and_once(tmp_path: Path, dask):
    (tmp_path / "a.csv").write_text(
        "word,id,at\nok,1,2013-01-01T00:00:00Z\ntoolong,2,\nok,1,2013-01-01T00:00:00Z\nb,3,\nc,3,\nd,4,\nx\n"
    )
    clean, _ = clean_dataset(tmp_path / "a.csv", CONTRACT, tmp_path / "home", dask)
    table = read_all(clean)
    assert table.schema.types == [pa.int64(), pa.string(), pa.timestamp("us", tz="UTC")]
    assert table.to_pydict() == {
        "id": [1, 4],
        "word": ["ok", "d"],
        "at": [dt.datetime(2013, 1, 1, tzinfo=dt.UTC), None],
    }
    assert read_accounting(clean).model_dump(exclude_none=True) == {
        "rows_in": 7,
        "kept": 2,
        "quarantined": {"csv.broken_row": 1, "key": 2, "short": 1},
        "duplicates": 1,
        "dropped_nulls": 0,
        "broken_csv_rows": 1,
        "key_conflicts": 2,
    }


def test_equal_rows_can_be_kept_where_they_are_events(tmp_path: Path, dask):
    contract = contract_of({"word": "string"})
    path = write_parquet(tmp_path / "a.parquet", pa.table({"word": ["a", "a", "b"]}))
    clean, _ = clean_dataset(path, contract, tmp_path / "home", dask, CleanConfig(duplicates={"keep": "all"}))
    assert read_all(clean)["word"].to_pylist() == ["a", "a", "b"]
    assert read_accounting(clean).duplicates == 0


@pytest.mark.parametrize(
    ("keep", "kept"), [("first", [0, 1, 4]), ("last", [1, 3, 4]), ("none", [1, 4]), ("all", [0, 1, 2, 3, 4])]
)
def test_which_of_equal_rows_stays(tmp_path: Path, dask, keep, kept):
    contract = contract_of({"word": "string", "n": "integer"})
    words, numbers = ["a", "b", "a", "a", "c"], [1, 2, 1, 1, 1]
    path = write_parquet(tmp_path / "a.parquet", pa.table({"word": words, "n": numbers}), row_group=2)
    config = CleanConfig(duplicates={"keep": keep})
    clean, validation = clean_dataset(path, contract, tmp_path / "home", dask, config)
    assert read_all(clean).to_pylist() == [{"word": words[row], "n": numbers[row]} for row in kept]
    assert read_accounting(clean).duplicates == 5 - len(kept)
    assert validation.quarantined == 0


def test_no_row_left_because_all_are_equal_says_so(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"word": ["a", "a"]}))
    config = CleanConfig(duplicates={"keep": "none"})
    with pytest.raises(DataError, match=r"but for 2 that were dropped as duplicates\n.*clean.duplicates.keep"):
        clean_dataset(path, contract_of({"word": "string"}), tmp_path / "home", dask, config)


def test_without_hard_links_the_rows_are_copied(tmp_path: Path, dask, monkeypatch):
    def no_links(*_args):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1, 1], "word": ["a", "a"], "at": pa.nulls(2)}))
    linked, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask)
    monkeypatch.setattr(os, "link", no_links)
    copied, validation = clean_dataset(path, CONTRACT, tmp_path / "other", dask)
    assert copied.digest == linked.digest
    remove_folder(validation.folder)
    assert read_all(copied)["id"].to_pylist() == [1]


def test_validated_rows_that_are_gone_are_an_error(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1], "word": ["a"], "at": pa.nulls(1)}))
    raw = ingest(path, CONTRACT, tmp_path / "home", dask)
    validation = run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
    remove_folder(validation.folder)
    with pytest.raises(IntegrityError, match=r"the validated rows are gone\n  do: run the pipeline again"):
        run_clean(raw, validation, CONTRACT, CleanConfig(), tmp_path / "home", dask)


def test_privacy_takes_columns_after_duplicates_were_compared(tmp_path: Path, dask):
    columns = (
        Column(name="id", logical_type="integer"),
        Column(name="name", logical_type="string", privacy=Privacy(action="drop")),
        Column(name="mail", logical_type="string", privacy=Privacy(action="extract", pattern="^[a-z]+@([a-z.]+)$")),
    )
    contract = contract_of({"id": "integer"}).model_copy(update={"columns": columns, "row_rules": ()})
    rows = {"id": [1, 1, 1, 2], "name": ["a", "b", "a", "c"], "mail": ["x@y.org", "x@y.org", "x@y.org", "none"]}
    clean, _ = clean_dataset(write_parquet(tmp_path / "a.parquet", pa.table(rows)), contract, tmp_path / "home", dask)
    assert read_manifest(clean).columns == {"id": "int64", "mail": "string"}
    assert read_all(clean).to_pydict() == {"id": [1, 1, 2], "mail": ["y.org", "y.org", None]}
    for file in (tmp_path / "home").rglob("*.arrow"):
        assert b"x@y" not in file.read_bytes()


def test_a_partition_without_a_row_left_has_no_file(tmp_path: Path, dask):
    table = pa.table({"id": [1, 2, 3, 4], "word": ["a", "toolong", "toolong", "b"], "at": pa.nulls(4)})
    path = write_parquet(tmp_path / "a.parquet", table, row_group=1)
    clean, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask)
    assert [each.rows for each in read_manifest(clean).partitions] == [1, 1]
    assert read_all(clean)["id"].to_pylist() == [1, 4]


def test_no_row_left_is_an_error(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1], "word": ["toolong"], "at": pa.nulls(1)}))
    with pytest.raises(DataError, match=r"no row is left: all 1 are in quarantine\n  do: look at the quarantine in"):
        clean_dataset(path, CONTRACT, tmp_path / "home", dask)


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path, dask, monkeypatch):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1], "word": ["a"], "at": pa.nulls(1)}))
    raw = ingest(path, CONTRACT, tmp_path / "home", dask)
    validation = run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
    before = sorted((tmp_path / "home").rglob("*"))

    def no_space(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", no_space)
    monkeypatch.setattr(arrow_files, "copy_file", no_space)
    with pytest.raises(DiskFullError, match="datasets: no space is left"):
        run_clean(raw, validation, CONTRACT, CleanConfig(), tmp_path / "home", dask)
    assert sorted((tmp_path / "home").rglob("*")) == before


def test_a_lost_accounting_is_an_error(tmp_path: Path, dask):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1], "word": ["a"], "at": pa.nulls(1)}))
    clean, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask)
    (Path(clean.path) / "accounting.json").unlink()
    with pytest.raises(IntegrityError, match="row accounting is gone"):
        read_accounting(clean)


lines = st.sampled_from(
    ["1,ab,", "1,cd,", "2,ab,", "x,ab,", "3,toolong,", "4,,2013-01-01", "torn", "5,a,b,c", ",a,", "6,a,no"]
)


@given(files=st.lists(st.lists(lines, max_size=12), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_dirty_row_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, dask, files):
    folder = tmp_path_factory.mktemp("dirty")
    for index, rows in enumerate(files):
        (folder / f"{index}.csv").write_text("id,word,at\n" + "".join(f"{row}\n" for row in rows))
    everything = [row for rows in files for row in rows]
    whole = [row for row in everything if row not in {"torn", "5,a,b,c"}]
    sound = [row for row in whole if row not in {"x,ab,", "3,toolong,", "6,a,no"}]
    conflict = {"1,ab,", "1,cd,"} <= set(sound)
    kept = {row for row in sound if not (conflict and row.startswith("1,"))}
    try:
        raw = run_ingest(SourceConfig(path=str(folder)), CONTRACT, folder / "home", dask)
        validation = run_validate(raw, CONTRACT, ValidateConfig(), folder / "home", dask)
        clean = run_clean(raw, validation, CONTRACT, CleanConfig(), folder / "home", dask)
    except DataError:
        assert not kept
        return
    accounting = read_accounting(clean)
    assert accounting.rows_in == len(everything)
    assert accounting.broken_csv_rows == len(everything) - len(whole)
    assert accounting.kept == clean.rows == len(kept)
    assert accounting.key_conflicts == (sum(row.startswith("1,") for row in sound) if conflict else 0)
    assert accounting.quarantined.get("short", 0) == whole.count("3,toolong,")
