"""Sampled records and predictions on their way out of the endpoint: taken from runs, queued, handed to the writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.bundle.manifest import BundleManifest, InputSpec
from serving.records.request import InferRequest
from serving.records.tensors import Feed
from serving.watch.sampling import Rows, RowSampling

if TYPE_CHECKING:
    from serving.protocol.answer import Outputs
    from serving.watch.sample_queue import SampleQueue

_Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Sampled rows of one request.

    Attributes:
        table: The model version's, which says what the columns are.
        time: Of the run, in seconds since 1970.
        request: The request's id.
        rows: The rows' positions in their request.
        columns: The raw columns that are not masked, in the table's order, as they entered the graph.
        outputs: The predictions, in the table's order.
    """

    table: SampleTable
    time: float
    request: str | None
    rows: Rows
    columns: list[_Array]
    outputs: list[_Array]


class SampleTable:
    """The columns of one model version's samples. Masked columns and images are left out.

    Attributes:
        inputs: Names of the raw columns.
        outputs: Names of the predictions.
    """

    def __init__(self, manifest: BundleManifest, version: str) -> None:
        specs = [spec for spec in manifest.inputs if not spec.masked and spec.logical_type != "image"]
        self.inputs = [spec.name for spec in specs]
        self.outputs = [spec.name for spec in manifest.outputs]
        self._document = {
            "model": manifest.model,
            "version": version,
            "columns": [[spec.name, _kind(spec), len(spec.shape)] for spec in specs],
            "outputs": [[spec.name, spec.datatype, len(spec.shape)] for spec in manifest.outputs],
            "masked": [spec.name for spec in manifest.inputs if spec.masked],
        }

    def document(self) -> dict[str, Any]:
        """Return what the writer must know, as a JSON value."""
        return self._document


def _kind(spec: InputSpec) -> str:
    """Return the logical type, for a network's own input that of its numbers."""
    if spec.logical_type != "tensor":
        return spec.logical_type
    if spec.tensor in {"string", "bool"}:
        return {"string": "string", "bool": "boolean"}[spec.tensor]
    return "number" if spec.tensor.startswith("float") else "integer"


class VersionSampler:
    """Takes samples of one model version's runs.

    Args:
        table: The version's columns.
        sampling: Chooses the rows.
        queue: Takes the samples, at once.
    """

    def __init__(self, table: SampleTable, sampling: RowSampling, queue: SampleQueue) -> None:
        self._table = table
        self._chosen = sampling.chosen
        self._queue = queue

    def ran(self, requests: Sequence[InferRequest], feed: Feed, outputs: Outputs) -> None:
        """Take the sampled rows of one run; arrays are copied, since the next run may use them again."""
        start = 0
        for request in requests:
            rows = self._chosen(request.id, request.rows)
            if rows is not None:
                places = rows + start
                columns = [feed[name][places] for name in self._table.inputs]
                predictions = [outputs[name][places] for name in self._table.outputs]
                self._queue.put(Sample(self._table, time(), request.id, rows, columns, predictions))
            start += request.rows
