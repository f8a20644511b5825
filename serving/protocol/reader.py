"""Read Open Inference Protocol requests: the structure of the JSON, down to one list of values for each input.

Whatever the bytes are, the outcome is a request or a `BadRequestError`. Depth and number size are bounded by the JSON
parser, and sizes are checked before anything is built from them. The values themselves are for `serving.records`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import orjson

from serving.bundle.manifest import BundleManifest
from serving.errors import BadRequestError
from serving.records.column import SHOWN, Column
from serving.records.image_column import ImageColumn, column_of
from serving.records.request import InferRequest, InputValues, RequestedOutput

# Parameters of extensions that this server does not have and that would change what an answer means.
_REFUSED_PARAMETERS = ("binary_data_size", "classification", "shared_memory_region")


def parse_document(body: bytes) -> dict[str, Any]:
    """Parse a request's JSON object.

    Raises:
        BadRequestError: It is no JSON, no object, or its `id` is no string.
    """
    if not body:
        raise BadRequestError("the body is empty: expected an inference request as JSON")
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error!s:.200}") from error
    if type(request) is not dict:
        raise BadRequestError(f"expected a JSON object with 'inputs', got {_kind(request)}")
    identity = request.get("id")
    if identity is not None and type(identity) is not str:
        raise BadRequestError(f"'id': expected a string, got {_kind(identity)}")
    return request


class RequestReader:
    """Reads requests for one model.

    Args:
        manifest: The model's bundle.
        max_batch: The largest number of rows in one request.

    Raises:
        UnservableError: The contract holds a rule that cannot be executed.
    """

    def __init__(self, manifest: BundleManifest, max_batch: int) -> None:
        self._model = manifest.model
        self._max_batch = max_batch
        self._columns = {spec.name: column_of(spec) for spec in manifest.inputs}
        self._outputs = tuple(RequestedOutput(spec.name) for spec in manifest.outputs)
        self._output_names = tuple(spec.name for spec in manifest.outputs)

    def read(self, document: dict[str, Any]) -> InferRequest:
        """Check the structure of one request.

        Args:
            document: What `parse_document` returned.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """
        _check_parameters("the request", document)
        outputs = self._selected(document.get("outputs"))
        entries = document.get("inputs")
        if type(entries) is not list or not entries:
            raise BadRequestError(f"'inputs': expected a list of input tensors, got {_kind(entries)}")
        rows, inputs = self._inputs(entries)
        return InferRequest(document.get("id"), rows, inputs, outputs)

    def _inputs(self, entries: list[Any]) -> tuple[int, dict[str, InputValues]]:
        inputs: dict[str, InputValues] = {}
        rows = 0
        for entry in entries:
            column = self._column(entry)
            if column.name in inputs:
                raise BadRequestError(f"input {column.name!r} is given twice")
            count, values = self._values(column, entry)
            if rows not in {0, count}:
                raise BadRequestError(f"input {column.name!r} has {count} rows, the inputs before it have {rows}")
            rows = count
            inputs[column.name] = InputValues(entry["datatype"], values)
        if len(inputs) != len(self._columns):
            missing = [name for name in self._columns if name not in inputs]
            raise BadRequestError(
                f"{len(missing)} inputs of model {self._model!r} are missing: {_listed(missing)}; "
                "send null in 'data' for values that are not known"
            )
        return rows, inputs

    def _column(self, entry: Any) -> Column | ImageColumn:
        if type(entry) is not dict:
            raise BadRequestError(f"'inputs': expected objects, got {_kind(entry)}")
        name = entry.get("name")
        column = self._columns.get(name) if type(name) is str else None
        if column is None:
            raise BadRequestError(_unknown("input", name, self._columns))
        if entry.get("parameters") is not None:
            _check_parameters(f"input {name!r}", entry)
        datatype = entry.get("datatype")
        if type(datatype) is not str or datatype not in column.datatypes:
            raise BadRequestError(
                f"input {name!r}: expected datatype {' or '.join(sorted(column.datatypes))}, got {_short(datatype)}"
            )
        return column

    def _values(self, column: Column | ImageColumn, entry: dict[str, Any]) -> tuple[int, list[Any]]:
        shape = entry.get("shape")
        if type(shape) is not list or not shape or not _sizes(shape) or not column.fits(shape[1:]):
            raise BadRequestError(f"input {column.name!r}: expected shape {column.shapes}, got {_short(shape)}")
        rows: int = shape[0]
        if rows == 0:
            raise BadRequestError(f"input {column.name!r}: expected at least one row, got shape {_short(shape)}")
        if rows > self._max_batch:
            raise BadRequestError(f"input {column.name!r}: expected at most {self._max_batch} rows, got {rows}")
        data = entry.get("data")
        values = column.flatten(data, shape)
        if values is None:
            got = f"a list of {len(data)}" if type(data) is list else _kind(data)
            count = math.prod(shape)
            raise BadRequestError(
                f"input {column.name!r}: expected 'data' to be a list of {count} values as its shape says, got {got}"
            )
        return rows, values

    def _selected(self, outputs: Any) -> tuple[RequestedOutput, ...]:
        if outputs is None or outputs == []:
            return self._outputs
        if type(outputs) is not list:
            raise BadRequestError(f"'outputs': expected a list of objects, got {_kind(outputs)}")
        chosen: dict[str, RequestedOutput] = {}
        for entry in outputs:
            name = entry.get("name") if type(entry) is dict else None
            if type(name) is not str or name not in self._output_names:
                raise BadRequestError(_unknown("output", name, self._output_names))
            if name in chosen:
                raise BadRequestError(f"output {name!r} is asked for twice")
            _check_parameters(f"output {name!r}", entry)
            chosen[name] = RequestedOutput(name)
        return tuple(chosen.values())


def _sizes(shape: list[Any]) -> bool:
    return all(type(size) is int and size >= 0 for size in shape)


def _check_parameters(where: str, entry: dict[str, Any]) -> None:
    parameters = entry.get("parameters")
    if parameters is None:
        return
    if type(parameters) is not dict:
        raise BadRequestError(f"{where}: expected 'parameters' to be an object, got {_kind(parameters)}")
    for name in _REFUSED_PARAMETERS:
        if name in parameters:
            raise BadRequestError(f"{where}: parameter {name!r} belongs to an extension that this server does not have")


def _unknown(what: str, name: Any, known: Iterable[str]) -> str:
    names = list(known)
    nearest = difflib.get_close_matches(name[:100], names, n=1) if type(name) is str else []
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of {_listed(names)}"
    return f"unknown {what} {_short(name)}: {hint}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 100 else text[:100] + "..."


def _kind(value: Any) -> str:
    words = {type(None): "nothing", list: "a list", dict: "an object", str: "a string", bool: "a boolean"}
    if value == []:
        return "an empty list"
    return words.get(type(value), "a number")
