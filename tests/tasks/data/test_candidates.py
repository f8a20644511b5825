from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.parsing import parse_table
from tasks.data import candidates
from tasks.data.candidates import look_for_candidates, narrowest
from tasks.data.partitions import read_manifest, read_partition
from tasks.engine import open_client
from tests.tasks.data.tables import contract_of, ingest, write_parquet

CONTRACT = contract_of({"id": "integer", "word": "string"}, key=("id",))
rows_ = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.sampled_from("abc"))),
    min_size=1,
    max_size=30,
)


@given(rows=rows_, row_group=st.integers(1, 30), per_range=st.integers(2, 40))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_with_an_equal_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, dask, monkeypatch, rows, row_group, per_range
):
    monkeypatch.setattr(candidates, "ROWS_PER_RANGE", per_range)
    folder: Path = tmp_path_factory.mktemp("rows")
    table = pa.table({"id": pa.array([row[0] for row in rows], pa.int64()), "word": [row[1] for row in rows]})
    raw = ingest(write_parquet(folder / "a.parquet", table, row_group), CONTRACT, folder / "home", dask)
    sets = [("id",), ("id", "word")]
    partitions = read_manifest(raw).partitions
    with open_client(dask) as client:
        found = look_for_candidates(client, raw, partitions, CONTRACT, sets, folder / "work")
    for columns in sets:
        keys = [row[: len(columns)] for row in rows]
        again = [row for row, key in enumerate(keys) if keys.count(key) > 1]
        start, positions = 0, []
        for partition in partitions:
            parsed = parse_table(read_partition(raw.folder, partition), CONTRACT).table
            positions += (found.of(columns, parsed) + start).tolist()
            start += partition.rows
        assert positions == again
        assert found.rows[columns] >= len(again)


def test_many_hashes_that_share_slots_are_told_apart():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 50_000, dtype=np.uint64)
    hashes[:300] = hashes[1_000:1_300]
    hashes[300:320] = hashes[7]
    repeated, rows = candidates._repeated(hashes)
    values, counts = np.unique(hashes, return_counts=True)
    assert repeated.tolist() == values[counts > 1].tolist()
    assert counts[counts > 1].sum() <= rows <= 700


def test_too_many_to_name_are_all_rows(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setattr(candidates, "MOST_REPEATED", 1)
    table = pa.table({"id": [1, 1, 2, 2, 3], "word": list("abcde")})
    raw = ingest(write_parquet(tmp_path / "a.parquet", table), CONTRACT, tmp_path / "home", dask)
    with open_client(dask) as client:
        found = look_for_candidates(client, raw, read_manifest(raw).partitions, CONTRACT, [("id",)], tmp_path / "work")
    assert found.rows == {("id",): None}
    assert found.of(("id",), table).tolist() == [0, 1, 2, 3, 4]


def test_whole_rows_are_told_apart_by_what_is_cheap():
    assert narrowest(CONTRACT) == ("id",)
    assert narrowest(contract_of({"a": "string", "b": "number", "c": "boolean", "d": "date"})) == ("b", "d")
    assert narrowest(contract_of({"a": "string", "b": "boolean"})) == ("a", "b")
