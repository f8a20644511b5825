"""Partitions as pandas frames in the form that Great Expectations compares well, and library metrics of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def expectation_frame(table: pa.Table) -> pd.DataFrame:
    """Turn a parsed table into a frame whose dates and timestamps compare with bounds written as text.

    Both become datetime64[ns] in UTC without a zone, the only kind that the library parses text for; instants that
    nanoseconds do not reach become the nearest that they do.
    """
    columns: dict[str, Any] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(values.type):
            columns[name] = values.cast(values.type.value_type).to_pandas()
        elif pa.types.is_temporal(values.type):
            micros = values.cast(pa.timestamp("us")).cast(pa.int64())
            least, greatest = pd.Timestamp.min.value // 1_000 + 1, pd.Timestamp.max.value // 1_000
            there = values.is_valid().to_numpy()
            bounded = np.clip(micros.fill_null(0).to_numpy(), least, greatest)
            stamps = bounded.astype("datetime64[us]").astype("datetime64[ns]")
            columns[name] = np.where(there, stamps, np.datetime64("NaT"))
        else:
            columns[name] = values.to_pandas()
    return pd.DataFrame(columns)


def metric_of_frame(
    frame: pd.DataFrame, metric: str, columns: Sequence[str], arguments: Mapping[str, Any], unit: str
) -> float:
    """Return a library metric of the standard for a whole frame, as `judge.table_value` does from measurements."""
    if metric == "rowCount":
        return len(frame)
    part = frame[list(columns)]
    if metric == "nullValues":
        rows = part.isna().any(axis=1)
    elif metric == "missingValues":
        listed = arguments.get("missingValues", [None])
        rows = part.isin([value for value in listed if value is not None]).any(axis=1)
        if any(value is None or value == "" for value in listed):
            rows |= part.isna().any(axis=1)
    elif metric == "invalidValues":
        wrong = pd.DataFrame(data=False, index=part.index, columns=part.columns)
        if "validValues" in arguments:
            wrong |= ~part.isin(arguments["validValues"])
        if "pattern" in arguments:
            wrong |= ~part.apply(lambda column: column.astype(str).str.contains(arguments["pattern"]))
        rows = (wrong & part.notna()).any(axis=1)
    else:
        rows = part.duplicated() & part.notna().all(axis=1)
    count = int(rows.sum())
    if unit == "percent":
        return 100.0 * count / len(frame) if len(frame) else 0.0
    return count
