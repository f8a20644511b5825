"""What turned out to be true of served rows: read from a file, and joined to the samples by request and row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_contracts.yaml_lines import nearest
from tasks.errors import DataError
from tasks.preprocessing.columns import one_array
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target

# As `serving.watch.sample_files` hides a request's id.
_ID_CHARACTERS = 32


@dataclass(frozen=True)
class Labels:
    """Labels of N served rows.

    Attributes:
        keys: string `[N]`, distinct: the digest of the request's id, a colon, the position in the request.
        truth: int64 `[N]` of class indices, bool `[N, L]` of labels, or float64 `[N]`.
        nulls: Rows of the file without a label, which are left out.
    """

    keys: pa.Array
    truth: NDArray[Any]
    nulls: int

    def places(self, keys: pa.Array) -> NDArray[np.int64]:
        """Return where the labels of sampled rows stand, int64 `[M]`; -1 for a row without one."""
        found = pc.index_in(keys, value_set=self.keys).fill_null(-1)
        return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def row_keys(requests: pa.Array, rows: pa.Array) -> pa.Array:
    """Return the keys of rows: null where a request had no id."""
    return pc.binary_join_element_wise(requests, rows.cast(pa.string()), ":")


def read_labels(path: Path, target: Target) -> Labels:
    """Read a Parquet file, or a CSV file with a head line.

    Its columns: `request`, the digest as the samples have it, or `request_id`, the id itself; `row`, the position in
    the request, 0 where there is no such column; and the target's raw columns.

    Raises:
        DataError: The file cannot be read, lacks a column, says two things of one row, or holds a value that the target
            cannot have.
    """
    table = _read(path)
    _require(path, table, target.columns)
    if "request" in table.column_names:
        requests = one_array(table["request"]).cast(pa.string())
    elif "request_id" in table.column_names:
        requests = pa.array([_hidden(each) for each in table["request_id"].cast(pa.string()).to_pylist()], pa.string())
    else:
        raise _lacking(path, table, "request")
    rows = one_array(table["row"]) if "row" in table.column_names else pa.array(np.zeros(len(table), np.int64))
    keys = row_keys(requests, rows)
    columns = [one_array(table[name]) for name in target.columns]
    there = np.asarray(keys.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    for column in columns:
        there &= np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    chosen = pa.array(there)
    keys = keys.filter(chosen)
    twice = pc.value_counts(keys).filter(pc.greater(pc.value_counts(keys).field("counts"), 1))
    if len(twice):
        examples = ", ".join(twice.field("values").to_pylist()[:5])
        raise DataError(
            f"{path}: {len(twice)} rows have more than one label: {examples}\n"
            "  do: keep one label for each request and row"
        )
    return Labels(keys, _truth(path, [each.filter(chosen) for each in columns], target), int((~there).sum()))


def _read(path: Path) -> pa.Table:
    try:
        return pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path}: cannot be read: {error}\n  do: name a .csv file with a head line, or Parquet"
        ) from error


def _require(path: Path, table: pa.Table, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in table.column_names:
            raise _lacking(path, table, name)


def _lacking(path: Path, table: pa.Table, name: str) -> DataError:
    close = nearest(name, table.column_names)
    return DataError(
        f"{path}: there is no column `{name}`"
        + (f" (nearest: `{close}`)" if close else "")
        + f"; there are: {', '.join(table.column_names[:5])}\n"
        "  do: write `request` (digests) or `request_id`, `row` (0 without it), and the target's columns"
    )


def _hidden(request: str | None) -> str | None:
    return None if request is None else hashlib.sha256(request.encode()).hexdigest()[:_ID_CHARACTERS]


def _truth(path: Path, columns: Sequence[pa.Array], target: Target) -> NDArray[Any]:
    if isinstance(target, ClassTarget):
        classes = pa.array([_word(each) for each in target.classes], pa.string())
        words = pa.array([_word(each) for each in columns[0].to_pylist()], pa.string())
        places = pc.index_in(words, value_set=classes)
        if places.null_count:
            unknown = sorted(set(words.filter(places.is_null()).to_pylist()))
            raise DataError(
                f"{path}: `{target.column}` holds {len(unknown)} values that the model does not know: "
                f"{', '.join(unknown[:5])}; its classes are {', '.join(map(str, target.classes[:5]))}\n"
                "  do: write the classes as the training data has them, or retrain for new ones"
            )
        return np.asarray(places.to_numpy(), np.int64)
    kind = pa.bool_() if isinstance(target, LabelsTarget) else pa.float64()
    try:
        arrays = [column.cast(kind).to_numpy(zero_copy_only=False) for column in columns]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{path}: a label is no {kind}: {error}\n  do: write labels as the training data has them"
        ) from error
    return np.stack(arrays, axis=1).astype(np.bool_) if isinstance(target, LabelsTarget) else np.asarray(arrays[0])


def _word(value: Any) -> str:
    """Return a class as it is compared: booleans as 0 and 1, however a file writes them."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return str(int(value.lower() == "true"))
    return str(int(value)) if isinstance(value, bool) else str(value)
