"""Decode an Open Inference Protocol request into the tensors that a model takes.

Whatever the bytes are, the outcome is a request or a `BadRequestError`. Depth and number size are bounded by the JSON
parser, sizes before anything is built from them, and the listed errors by `columns.SHOWN`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from serving.bundle.manifest import BundleManifest
from serving.columns import SHOWN, Column, Findings, Tensor
from serving.errors import BadRequestError, ContractViolationError
from serving.image_column import ImageColumn, column_of

# Parameters of extensions that this server does not have and that would change what an answer means.
_REFUSED_PARAMETERS = ("binary_data_size", "classification", "shared_memory_region")


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A decoded request.

    Attributes:
        id: The client's own name for the request, if it gave one.
        feed: One tensor per input, [rows], of images [rows, H, W, C].
        rows: The batch size.
        outputs: The names of the outputs to answer with, in the order asked for.
    """

    id: str | None
    feed: dict[str, Tensor]
    rows: int
    outputs: tuple[str, ...]


class Decoder:
    """Decodes requests for one model.

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
        self._outputs = tuple(spec.name for spec in manifest.outputs)

    def decode(self, body: bytes) -> InferRequest:
        """Decode and check one request.

        Args:
            body: The JSON text, UTF-8.

        Raises:
            BadRequestError: The body is not such a request, or (`ContractViolationError`) its values break a rule.
        """
        request = _parse(body)
        identity = request.get("id")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"'id': expected a string, got {_kind(identity)}")
        _check_parameters("the request", request)
        outputs = self._selected(request.get("outputs"))
        inputs = request.get("inputs")
        if type(inputs) is not list or not inputs:
            raise BadRequestError(f"'inputs': expected a list of input tensors, got {_kind(inputs)}")
        feed, rows = self._feed(inputs)
        return InferRequest(identity, feed, rows, outputs)

    def _feed(self, inputs: list[Any]) -> tuple[dict[str, Tensor], int]:
        findings = Findings()
        feed: dict[str, Tensor] = {}
        seen: set[str] = set()
        rows = 0
        for entry in inputs:
            column = self._column(entry)
            if column.name in seen:
                raise BadRequestError(f"input {column.name!r} is given twice")
            seen.add(column.name)
            count, values = self._values(column, entry)
            if rows not in {0, count}:
                raise BadRequestError(f"input {column.name!r} has {count} rows, the inputs before it have {rows}")
            rows = count
            tensor = column.tensor(values, entry["datatype"], findings)
            if tensor is not None:
                feed[column.name] = tensor
        if len(seen) != len(self._columns):
            missing = [name for name in self._columns if name not in seen]
            raise BadRequestError(
                f"{len(missing)} inputs of model {self._model!r} are missing: {_listed(missing)}; "
                "send null in 'data' for values that are not known"
            )
        if findings.count:
            raise ContractViolationError(self._model, findings.count, findings.first)
        return feed, rows

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

    def _selected(self, outputs: Any) -> tuple[str, ...]:
        if outputs is None or outputs == []:
            return self._outputs
        if type(outputs) is not list:
            raise BadRequestError(f"'outputs': expected a list of objects, got {_kind(outputs)}")
        names: list[str] = []
        for entry in outputs:
            name = entry.get("name") if type(entry) is dict else None
            if type(name) is not str or name not in self._outputs:
                raise BadRequestError(_unknown("output", name, self._outputs))
            if name in names:
                raise BadRequestError(f"output {name!r} is asked for twice")
            _check_parameters(f"output {name!r}", entry)
            names.append(name)
        return tuple(names)


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise BadRequestError("the body is empty: expected an inference request as JSON")
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error!s:.200}") from error
    if type(request) is not dict:
        raise BadRequestError(f"expected a JSON object with 'inputs', got {_kind(request)}")
    return request


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
