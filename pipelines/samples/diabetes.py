"""The diabetes sample: 442 patients, ten measurements at a baseline, and how far the disease went on in one year.

The table is that of Efron, Hastie, Johnstone and Tibshirani, "Least Angle Regression" (Annals of Statistics 32, 2004),
as scikit-learn carries it (`sklearn.datasets.load_diabetes`), in its own units.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.storage import write_atomic

FILE = "diabetes.parquet"

# By scikit-learn's name, what the column is called and which type it has.
_COLUMNS = {
    "age": ("age", pa.int64()),
    "sex": ("sex", pa.int64()),
    "bmi": ("body_mass_index", pa.float64()),
    "bp": ("blood_pressure", pa.float64()),
    "s1": ("total_cholesterol", pa.int64()),
    "s2": ("ldl", pa.float64()),
    "s3": ("hdl", pa.float64()),
    "s4": ("cholesterol_ratio", pa.float64()),
    "s5": ("log_triglycerides", pa.float64()),
    "s6": ("blood_sugar", pa.int64()),
}


def write_diabetes(folder: Path) -> None:
    """Write the table as `diabetes.parquet`.

    `patient` is the row's 1-based position in the published table, `progression` the target.

    Args:
        folder: Where to write; it is made if it is missing, and a file of the same name is replaced.
    """
    # scikit-learn's datasets take a second to import, which the other samples do not need.
    from sklearn.datasets import load_diabetes  # noqa: PLC0415

    found = load_diabetes(scaled=False)
    columns = {"patient": pa.array(np.arange(1, len(found.data) + 1))}
    for name, values in zip(found.feature_names, found.data.T, strict=True):
        readable, kind = _COLUMNS[name]
        columns[readable] = pa.array(np.ascontiguousarray(values)).cast(kind)
    columns["progression"] = pa.array(found.target)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / FILE, sink.getvalue().to_pybytes())
