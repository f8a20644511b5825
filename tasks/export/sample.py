"""One real record as a client would send it, and the answer it must get: what a trial of the server asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, PositiveFloat

from serving.bundle.manifest import InputSpec
from tasks.export.prediction_paths import ServingPath, TrainingPath
from tasks.preprocessing.columns import instants, one_array


class Sample(BaseModel):
    """A request of one record in the Open Inference Protocol's JSON, and its answer by the training path.

    It holds a row of the data as it is, so it stays beside the data and never enters a bundle.

    Attributes:
        answer: By output, its flat values.
        unit: What differences of numbers are measured in (`tasks.export.parity.Parity`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: Mapping[str, Any]
    answer: Mapping[str, tuple[bool | int | float | str, ...]]
    unit: PositiveFloat = 1.0


def take_sample(training: TrainingPath, serving: ServingPath, record: pa.Table) -> Sample:
    """Write down a typed record of one row with the training path's answer.

    Of a text that the contract takes apart the data keeps a part only; the contract's example stands for the whole.
    """
    wholes = {spec.name: _whole(spec) for spec in serving.inputs if spec.extract is not None}
    for name, (_, part) in wholes.items():
        record = record.set_column(record.column_names.index(name), name, pa.array([part], pa.string()))
    tensors = [
        _tensor(spec, record.column(spec.name), wholes.get(spec.name, (None, None))[0]) for spec in serving.inputs
    ]
    return Sample(
        request={"inputs": tensors},
        answer={name: tuple(tensor.ravel().tolist()) for name, tensor in training.predict(record).items()},
        unit=training.unit,
    )


def _whole(spec: InputSpec) -> tuple[str | None, str | None]:
    """Return the text that a client sends for an input, and the part of it that enters the graph."""
    example = next(iter(spec.examples), None)
    if not isinstance(example, str) or spec.extract is None:
        return None, None
    found = re.search(spec.extract, example, re.ASCII)
    return example, (found.group(1) or None) if found is not None else None


def _tensor(spec: InputSpec, column: pa.ChunkedArray[Any], whole: str | None) -> dict[str, Any]:
    """Write the one value of a column as a client would send it; `whole` stands in for it where it is a part."""
    if spec.logical_type == "image":
        levels = list(column[0].as_py())
        return {"name": spec.name, "datatype": spec.datatype, "shape": [1, *spec.shape], "data": levels}
    value: Any = whole
    if spec.extract is None:
        # Arrow writes ISO 8601 for every instant; Python has none beyond the year 9999.
        value = (column.cast(pa.string()) if spec.logical_type in {"date", "timestamp"} else column)[0].as_py()
    if not spec.date_forms:
        return {"name": spec.name, "datatype": spec.datatype, "shape": [1], "data": [value]}
    # A form of the contract's own may read ISO 8601 as another day; a number is read in one way alone.
    micros = None if column.null_count else int(instants(one_array(column))[0])
    return {"name": spec.name, "datatype": "INT64", "shape": [1], "data": [micros]}
