"""The reference cleaning job: the constants that every engine shares. README.md says what the job is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

NULL_TOKENS = ("", "NA", "N/A", "NULL", "NONE", "NAN")  # after trimming, in upper case
CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
ORIGINS = ("EWR", "JFK", "LGA")
TS_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
YEAR = 2013
EMAIL = r"^[a-z0-9._]+@[a-z0-9.]+\.[a-z]{2,}$"  # after trimming, in lower case
TEXTS = ("carrier", "origin", "dest", "tailnum", "manufacturer", "engine_type")
CATEGORIES = (*TEXTS, "email_domain")
NUMBERS = (
    "dep_delay", "arr_delay", "air_time", "distance", "fare", "temp", "dewp", "humid", "wind_speed",
    "precip", "pressure", "visib", "seats", "plane_year",
)  # fmt: skip
RAW = ("event_id", "sched_ts", *TEXTS, "flight", "pax_name", "email", *NUMBERS)
IQR_FACTOR = 3.0
FENCED = ("dep_delay", "arr_delay", "air_time", "fare", "temp", "dewp", "humid", "wind_speed", "pressure")
RANGES = {
    "precip": (0.0, 5.0),
    "visib": (0.0, 10.0),
    "seats": (1.0, 500.0),
    "plane_year": (1950.0, 2013.0),
    "distance": (1.0, 6000.0),
}
MOST_FREQUENT = ("dest",)
UNKNOWN = "UNKNOWN"
REASONS = ("bad_ts", "bad_carrier", "bad_origin", "bad_distance")

# The split of a row: ((event_id * SPLIT_FACTOR) mod SPLIT_MODULUS) div 65536 mod 100, below 80, below 90, or the rest.
SPLIT_FACTOR, SPLIT_MODULUS = 2246822507, 1 << 32
SPLITS = ("train", "val", "test")


def parquet_files(folder: str | Path) -> Sequence[str]:
    """Return the Parquet files of a folder in the order of their names."""
    return sorted(str(path) for path in Path(folder).glob("*.parquet"))


def fences(first_quartile: float, third_quartile: float) -> tuple[float, float]:
    """Return the bounds beyond which a value is an outlier (Tukey's fences)."""
    reach = IQR_FACTOR * (third_quartile - first_quartile)
    return first_quartile - reach, third_quartile + reach
