"""The records API: rows as JSON objects in, predictions as JSON objects out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from serving.errors import BadRequestError
from serving.protocol.answer import Answer, OutputForm, Outputs, Written
from serving.protocol.documents import parse_document
from serving.protocol.reader import Part, RequestReader
from serving.protocol.words import kind, unknown
from serving.records.column import Column
from serving.records.request import InferRequest
from serving.records.tensor_column import TensorColumn

_MEMBERS = ("records", "id")


class RecordsCall:
    """A call of `:predict`: `{"records": [{"carrier": "UA", ...}]}`.

    A column that a record leaves out is null there, which its contract may or may not allow; a name that the model does
    not know is refused, so that a typing error does not become a null.

    Args:
        body: The JSON text.

    Raises:
        BadRequestError: It is no such object.
    """

    def __init__(self, body: bytes) -> None:
        document = parse_document(body)
        for name in document:
            if name not in _MEMBERS:
                raise BadRequestError(unknown("member", name, _MEMBERS))
        identity, records = document.get("id"), document.get("records")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"'id': expected a string, got {kind(identity)}")
        if type(records) is not list or not records:
            raise BadRequestError(f"'records': expected a list of objects, got {kind(records)}")
        for row, record in enumerate(records):
            if type(record) is not dict:
                raise BadRequestError(f"'records': expected objects, got {kind(record)} in row {row}")
        self.id: str | None = identity
        self._records: list[dict[str, Any]] = records

    def read(self, reader: RequestReader) -> InferRequest:
        """Return the request, checked by that reader.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """
        columns = reader.columns
        known = columns.keys()
        for row, record in enumerate(self._records):
            if not record.keys() <= known:
                name = next(name for name in record if name not in known)
                raise BadRequestError(f"row {row}: {unknown('column', name, columns)}")
        return reader.gather(self.id, self._parts(columns))

    def write(self, request: InferRequest, answer: Answer) -> Written:
        """Return one object of named outputs for each record."""
        document: dict[str, Any] = {"model": answer.form.model, "version": answer.form.version}
        if self.id is not None:
            document["id"] = self.id
        columns = [(asked.name, _worded(answer.form.outputs[asked.name], answer.outputs)) for asked in request.outputs]
        document["predictions"] = [{name: values[row] for name, values in columns} for row in range(request.rows)]
        return Written(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))

    def _parts(self, columns: dict[str, Column | TensorColumn]) -> Iterator[Part]:
        rows = len(self._records)
        for name, column in columns.items():
            values = [record.get(name) for record in self._records]
            yield name, _datatype(column, values), [rows, *column.spec.shape], values


def _datatype(column: Column | TensorColumn, values: list[Any]) -> str:
    """Return what the values would be declared as in the Open Inference Protocol."""
    kinds = set(map(type, values))
    if str in kinds and "BYTES" in column.datatypes:
        return "BYTES"
    if int in kinds and column.spec.logical_type in {"date", "timestamp"}:
        return "INT64"
    return column.spec.datatype


def _worded(form: OutputForm, outputs: Outputs) -> list[Any]:
    """Return an output row by row; where its columns have labels, an object of them."""
    values = outputs[form.spec.name]
    # numpy's own scalars: a float32 is then written with the digits that it has. Of integers orjson does not know all
    # kinds that onnxruntime gives, and they are the same either way.
    rows: list[Any] = values.tolist() if values.dtype.kind in "iu" else list(values)
    return [dict(zip(form.labels, row, strict=True)) for row in rows] if form.labels else rows
