from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.cleaning.config import OrderedColumn, OrderedConfig, SmoothConfig
from tasks.cleaning.ordered import run_ordered
from tasks.data.accounting import read_accounting
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tests.tasks.cleaning import series

_FILLS = st.sampled_from([None, "ffill", "bfill", "linear", "time"])
_SMOOTHS = st.none() | st.builds(SmoothConfig, method=st.sampled_from(["median", "mean"]), window=st.integers(2, 9))


def column(fill: str | None, limit: int | None, smooth: SmoothConfig | None) -> OrderedColumn:
    fill = fill or (None if smooth else "ffill")
    return OrderedColumn(fill=fill, limit=limit if fill else None, smooth=smooth)


_COLUMNS = st.builds(column, _FILLS, st.none() | st.integers(1, 4), _SMOOTHS)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    temp=_COLUMNS,
    load=_COLUMNS,
    grouped=st.booleans(),
    sizes=st.tuples(st.integers(1, 60), st.integers(1, 4), st.integers(1, 25)),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    seed=st.integers(0, 1_000),
)
def test_it_is_the_same_as_on_the_whole(
    dask: DaskConfig,
    temp: OrderedColumn,
    load: OrderedColumn,
    grouped: bool,
    sizes: tuple[int, int, int],
    cuts: list[int],
    seed: int,
) -> None:
    rows, sensors, stretch_rows = sizes
    table = series.some_rows(rows, sensors, seed)
    columns = {"temp": temp, "load": load, "state": OrderedColumn(fill="bfill", limit=2)}
    config = OrderedConfig(by="at", group=("sensor",) if grouped else (), columns=columns)
    with tempfile.TemporaryDirectory() as name:
        clean = series.write_clean(table, sorted(min(cut, rows) for cut in cuts), Path(name))
        got = series.read_back(run_ordered(clean, series.CONTRACT, config, Path(name), dask, stretch_rows))
    expected = series.by_pandas(table, config)
    assert sorted(got["row"].to_pylist()) == list(range(rows))
    for row in got.select(["row", *columns]).to_pylist():
        for key in ("temp", "load"):
            wanted = expected[row["row"]][key]
            assert (row[key] is None) == math.isnan(wanted)
            assert row[key] is None or math.isclose(row[key], wanted, rel_tol=1e-9, abs_tol=1e-9)
        state = expected[row["row"]]["state"]
        assert row["state"] == (state if isinstance(state, str) else None)


def test_rows_are_in_order_and_equal_ones_keep_theirs(tmp_path: Path, dask: DaskConfig) -> None:
    table = series.some_rows(500, 3, seed=1, moments=2)
    config = OrderedConfig(by="at", group=("sensor",))
    ordered = [
        series.read_back(
            run_ordered(series.write_clean(table, cuts, tmp_path), series.CONTRACT, config, tmp_path, dask, rows)
        )
        for cuts, rows in (([], 1_000), ([100, 101, 400], 60))
    ]
    assert ordered[0].equals(ordered[1])
    got = ordered[0].to_pylist()
    sensors = list(dict.fromkeys(row["sensor"] for row in got))
    assert sorted(map(str, sensors)) == ["None", "s1", "s2"]
    assert got == sorted(got, key=lambda row: (sensors.index(row["sensor"]), row["at"], row["row"]))


def test_the_same_rows_give_the_same_dataset(tmp_path: Path, dask: DaskConfig) -> None:
    clean = series.write_clean(series.some_rows(300, 4, seed=2), [90, 200], tmp_path / "a")
    columns = {"temp": OrderedColumn(fill="time", smooth=SmoothConfig(method="median", window=5))}
    config = OrderedConfig(by="at", group=("sensor",), columns=columns)
    first = run_ordered(clean, series.CONTRACT, config, tmp_path / "a", dask, 70)
    again = run_ordered(clean, series.CONTRACT, config, tmp_path / "b", DaskConfig(threads=1), 70)
    assert first.digest == again.digest
    assert not list((tmp_path / "a").rglob("*spill*"))
    assert {path.name for path in (tmp_path / "a/datasets" / first.digest).iterdir()} >= {
        "manifest.json",
        "accounting.json",
    }


@pytest.mark.parametrize("by", ["at", None])
def test_rows_that_still_lack_something_are_dropped_and_counted(
    tmp_path: Path, dask: DaskConfig, by: str | None
) -> None:
    table = series.some_rows(200, 2, seed=3)
    clean = series.write_clean(table, [50], tmp_path)
    config = OrderedConfig(by=by, drop_nulls=("temp", "state"))
    ordered = run_ordered(clean, series.CONTRACT, config, tmp_path, dask, 64)
    got = series.read_back(ordered)
    whole = [row["row"] for row in table.to_pylist() if row["temp"] is not None and row["state"] is not None]
    assert sorted(got["row"].to_pylist()) == whole
    assert by is not None or got["row"].to_pylist() == whole
    accounting = read_accounting(ordered)
    assert (accounting.rows_in, accounting.kept, accounting.dropped_nulls) == (200, len(whole), 200 - len(whole))


def test_no_row_left_is_an_error_that_names_the_columns(tmp_path: Path, dask: DaskConfig) -> None:
    clean = series.write_clean(series.some_rows(20, 1, seed=4, missing=1.1), [], tmp_path)
    with pytest.raises(DataError, match="each of the 20 lacks a value in temp\n  do: fill these"):
        run_ordered(clean, series.CONTRACT, OrderedConfig(drop_nulls=("temp",)), tmp_path, dask)
    assert not list(tmp_path.rglob(".tmp-*"))


def test_no_filter_looks_ahead(tmp_path: Path, dask: DaskConfig) -> None:
    table = series.some_rows(120, 1, seed=5, missing=0.0)
    columns = {"temp": OrderedColumn(smooth=SmoothConfig(method="mean", window=6))}
    config = OrderedConfig(by="at", columns=columns)
    later = table.to_pandas().sort_values(["at", "row"])["row"].to_numpy()[80:]
    values = table["temp"].to_numpy().copy()
    values[later] = 1e6
    spoiled = table.set_column(3, "temp", pa.array(values))
    kept = [
        series.read_back(
            run_ordered(series.write_clean(each, [40], tmp_path), series.CONTRACT, config, tmp_path, dask, 50)
        )
        for each in (table, spoiled)
    ]
    assert kept[0].slice(0, 80)["temp"].equals(kept[1].slice(0, 80)["temp"])
    assert not kept[0]["temp"].equals(kept[1]["temp"])
