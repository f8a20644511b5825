import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.contract import Privacy
from tasks.data.accounting import read_accounting
from tasks.data.assignment import assign_by_hash, assign_by_portable_hash, assign_by_time
from tasks.data.split import SPLITS, SplitConfig, read_codes, read_split, run_split, split_columns
from tasks.errors import ConfigError, DataError
from tests.tasks.data.tables import clean_dataset, contract_of, write_parquet

CONTRACT = contract_of({"id": "integer", "day": "date", "late": "boolean"}, key=("id",))
SHARES = (0.7, 0.15, 0.15)


def _rows(numbers) -> pa.Table:
    days = [dt.date(2013, 1, 1) + dt.timedelta(days=number % 60) for number in numbers]
    late = [None if number % 10 == 0 else number % 3 == 0 for number in numbers]
    return pa.table({"id": list(numbers), "day": days, "late": late})


def _split(tmp_path: Path, dask, table: pa.Table, config: SplitConfig, row_group: int = 100):
    path = write_parquet(tmp_path / f"{table.num_rows}-{row_group}" / "a.parquet", table, row_group)
    clean, _ = clean_dataset(path, CONTRACT, tmp_path / "home", dask)
    split = run_split(clean, CONTRACT, config, tmp_path / "home", dask)
    return clean, split


def _by_split(clean, split, column="id") -> dict[str, list]:
    return {
        name: [value for table in read_split(clean, split, name, [column]) for value in table[column].to_pylist()]
        for name in SPLITS
    }


def test_rows_are_split_in_about_the_shares_and_none_is_lost(tmp_path: Path, dask):
    clean, split = _split(tmp_path, dask, _rows(range(2000)), SplitConfig(target="late"))
    assert split.rows["without_target"] == 200
    assert sum(split.rows.values()) == 2000
    assert [split.rows[name] / 1800 for name in SPLITS] == pytest.approx(SHARES, abs=0.03)
    found = _by_split(clean, split)
    assert sorted(value for values in found.values() for value in values) == [n for n in range(2000) if n % 10]
    assert all(values == sorted(values) for values in found.values())
    accounting = read_accounting(clean, split)
    assert accounting.without_target == 200
    assert accounting.splits == {name: split.rows[name] for name in SPLITS}
    assert set(np.unique(read_codes(split, 0))) == {0, 1, 2, 255}


@pytest.mark.parametrize("config", [SplitConfig(), SplitConfig(method="group", column="day", salt="other")])
def test_no_row_moves_when_data_is_added(tmp_path: Path, dask, config):
    before = _by_split(*_split(tmp_path, dask, _rows(range(500)), config))
    after = _by_split(*_split(tmp_path, dask, _rows(range(-300, 900)), config, row_group=37))
    for name in SPLITS:
        assert set(before[name]) == {value for value in after[name] if 0 <= value < 500}


def test_no_group_is_in_two_splits(tmp_path: Path, dask):
    clean, split = _split(tmp_path, dask, _rows(range(900)), SplitConfig(method="group", column="day"))
    days = [set(values) for values in _by_split(clean, split, "day").values()]
    assert not days[0] & days[1]
    assert not days[1] & days[2]
    assert not days[0] & days[2]
    assert sum(map(len, days)) == 60


def test_by_time_the_test_comes_last(tmp_path: Path, dask):
    clean, split = _split(tmp_path, dask, _rows(range(600)), SplitConfig(method="time", column="day"))
    days = [sorted(set(values)) for values in _by_split(clean, split, "day").values()]
    assert days[0][-1] < days[1][0] <= days[1][-1] < days[2][0]
    assert [len(each) for each in days] == [42, 9, 9]


def test_by_time_the_cuts_can_be_given(tmp_path: Path, dask):
    config = SplitConfig(method="time", column="day", cuts=("2013-01-11", "2013-02-01T00:00:00+00:00"))
    clean, split = _split(tmp_path, dask, _rows(range(600)), config)
    days = [sorted(set(values)) for values in _by_split(clean, split, "day").values()]
    assert days[1][0] == dt.date(2013, 1, 11)
    assert days[2][0] == dt.date(2013, 2, 1)


def test_the_same_split_has_the_same_digest_and_another_salt_another(tmp_path: Path, dask):
    refs = [_split(tmp_path, dask, _rows(range(300)), SplitConfig(salt=salt))[1] for salt in ("", "", "x")]
    assert refs[0] == refs[1] != refs[2]


@given(values=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_a_number_and_its_text_fall_alike(values):
    integers, texts = pa.chunked_array([values], pa.int64()), pa.chunked_array([[str(value) for value in values]])
    assert (
        assign_by_hash([integers], shares=SHARES, salt="").tolist()
        == assign_by_hash([texts], shares=SHARES, salt="").tolist()
    )


def test_assignments_by_hash_never_change():
    codes = assign_by_hash([pa.chunked_array([list(range(30))])], shares=SHARES, salt="")
    assert codes.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 1]


def test_the_portable_hash_is_what_sql_computes():
    keys = [0, 1, 7, 2**31 - 1, 2**62 + 3, 2**63 - 1]
    buckets = [(key * 2246822507) % 2**32 // 65536 % 100 for key in keys]
    codes = assign_by_portable_hash([pa.chunked_array([keys])], shares=(0.8, 0.1, 0.1))
    assert codes.tolist() == [0 if bucket < 80 else 1 if bucket < 90 else 2 for bucket in buckets]
    everywhere = assign_by_portable_hash([pa.chunked_array([list(range(100_000))])], shares=(0.8, 0.1, 0.1))
    assert np.bincount(everywhere).tolist() == pytest.approx([80_000, 10_000, 10_000], rel=0.05)


def test_the_portable_hash_splits_by_one_integer(tmp_path: Path, dask):
    config = SplitConfig(hash="portable", train=0.8, validation=0.1, test=0.1)
    clean, split = _split(tmp_path, dask, _rows(range(300)), config)
    expected = [key for key in range(300) if (key * 2246822507) % 2**32 // 65536 % 100 < 80]
    assert _by_split(clean, split)["train"] == expected
    with pytest.raises(ConfigError, match=r"split.hash: `portable` hashes one column of integers.*`day` \(date\)"):
        _split(tmp_path, dask, _rows(range(10)), config.model_copy(update={"method": "group", "column": "day"}))


def test_a_column_that_privacy_drops_cannot_split(tmp_path: Path, dask):
    key = CONTRACT.columns[0].model_copy(update={"privacy": Privacy(action="drop")})
    contract = CONTRACT.model_copy(update={"columns": (key, *CONTRACT.columns[1:])})
    with pytest.raises(ConfigError, match=r"split.method: .* drops `id` for privacy.*\n  do: "):
        split_columns(contract, SplitConfig())


def test_a_row_without_an_instant_has_no_place_in_time():
    with pytest.raises(DataError, match="1 rows of one partition have no instant"):
        assign_by_time([pa.chunked_array([[dt.date(2013, 1, 1), None]])], cuts=(0, 1))


@pytest.mark.parametrize("cuts", [("monday", "2013-01-01"), ("2014-01-01", "2013-01-01")])
def test_wrong_cuts_are_found_before_anything_runs(cuts):
    with pytest.raises(ConfigError, match=r"split\.cuts"):
        split_columns(CONTRACT, SplitConfig(method="time", column="day", cuts=cuts))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"method": "group", "column": "dya"}, r"split.column: .* no column `dya`; did you mean `day`\?"),
        ({"method": "time", "column": "id"}, "`id` is of type integer; `method: time` needs"),
        ({"target": "lat"}, r"split.target: .* did you mean `late`\?"),
        ({"method": "time", "column": "day", "cuts": ("monday", "2013-01-01")}, "split.cuts: `monday` is no ISO 8601"),
        ({"method": "time", "column": "day", "cuts": ("2014-01-01", "2013-01-01")}, "must be before"),
    ],
)
def test_a_config_that_does_not_fit_the_contract_is_an_error(tmp_path: Path, dask, config, message):
    with pytest.raises(ConfigError, match=message):
        _split(tmp_path, dask, _rows(range(10)), SplitConfig(**config))


def test_hashing_the_key_needs_a_key(tmp_path: Path, dask):
    contract = contract_of({"id": "integer"})
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1, 2]}))
    clean, _ = clean_dataset(path, contract, tmp_path / "home", dask)
    with pytest.raises(ConfigError, match=r"`key` hashes the primary key, and .* has none\n  do: "):
        run_split(clean, contract, SplitConfig(), tmp_path / "home", dask)


def test_an_empty_split_is_an_error_and_leaves_nothing(tmp_path: Path, dask):
    with pytest.raises(DataError, match=r"no row falls into .*(validation|test).*\n  do: "):
        _split(tmp_path, dask, _rows([1]), SplitConfig())
    assert list((tmp_path / "home" / "splits").iterdir()) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"train": 0.9}, "must add up to 1"),
        ({"method": "group"}, "needs `column`"),
        ({"cuts": ("a", "b")}, "belongs to method `time`"),
        ({"hash": "portable", "method": "time", "column": "day"}, "belongs to the methods `key` and `group`"),
        ({"hash": "portable", "salt": "x"}, "has no `salt`"),
        ({"hash": "portable", "train": 0.705, "validation": 0.145}, "whole hundredths"),
        ({"shares": 1}, "Extra inputs"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(config, message):
    with pytest.raises(ValidationError, match=message):
        SplitConfig(**config)
