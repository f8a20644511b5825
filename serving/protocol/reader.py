"""Read Open Inference Protocol requests: their structure, down to the values of each input.

Whatever the bytes are, the outcome is a request or a `BadRequestError`. Depth and number size are bounded by the JSON
parser, and sizes are checked before anything is built from them. The values themselves are for `serving.records`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from serving.bundle.manifest import BundleManifest
from serving.errors import BadRequestError
from serving.protocol import binary
from serving.protocol.documents import parse_document
from serving.protocol.parameters import count, flag, parameters_of
from serving.protocol.words import kind, listed, unknown
from serving.records.column import Column
from serving.records.findings import short
from serving.records.request import InferRequest, InputValues, RequestedOutput
from serving.records.tensor_column import TensorColumn, column_of

_NOTHING = memoryview(b"")
_FIELDS = itemgetter("name", "datatype", "shape", "data")
_FEW = 4
# Made for every value of a record, and for every request: this way takes half the time.
_input_values = partial(tuple.__new__, InputValues)
_infer_request = partial(tuple.__new__, InferRequest)
_INT = frozenset({int})
# Name, datatype, shape and data of one input as a protocol hands it on, none of it checked. The data is a list of
# JSON's values, flat or nested; the bytes of a binary tensor, as a memoryview; or a tensor [elements] of the wire's
# dtype.
Part = tuple[Any, Any, Any, Any]


def parse_body(body: bytes, json_length: int | None) -> tuple[dict[str, Any], memoryview]:
    """Parse a request's body.

    Args:
        body: All of it.
        json_length: What its header `Inference-Header-Content-Length` says; None where it has none, and is all JSON.

    Returns:
        The JSON object, and the binary tensors behind it.

    Raises:
        BadRequestError: It is not so long, no JSON, or no object.
    """
    if json_length is None:
        return parse_document(body), _NOTHING
    head, tail = binary.split(body, json_length)
    return parse_document(head), tail


class RequestReader:
    """Reads requests for one model.

    Args:
        manifest: The model's bundle.
        max_batch: The largest number of rows in one request.

    Attributes:
        columns: The model's inputs by name.

    Raises:
        UnservableError: The contract holds a rule that cannot be executed.
    """

    def __init__(self, manifest: BundleManifest, max_batch: int) -> None:
        self._model = manifest.model
        self._max_batch = max_batch
        self.columns = {spec.name: column_of(spec) for spec in manifest.inputs}
        self._own = {spec.name: spec.datatype for spec in manifest.inputs}
        self._flat = {name: self._own[name] for name, column in self.columns.items() if isinstance(column, Column)}
        self._whole = {
            spec.name: (spec.datatype, list(spec.shape), math.prod(spec.shape))
            for spec in manifest.inputs
            if spec.name not in self._flat
        }
        self._datatypes = {spec.name: spec.datatype for spec in manifest.outputs}
        self._outputs = tuple(RequestedOutput(spec.name) for spec in manifest.outputs)
        self._binary_outputs = tuple(RequestedOutput(spec.name, binary=True) for spec in manifest.outputs)

    def read(self, document: dict[str, Any], tail: memoryview = _NOTHING) -> InferRequest:
        """Check the structure of one request of HTTP.

        Args:
            document: What `parse_body` made of its JSON.
            tail: The binary tensors behind it.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """
        identity = document.get("id")
        if identity is not None and type(identity) is not str:
            raise BadRequestError(f"'id': expected a string, got {kind(identity)}")
        in_binary = False
        if "parameters" in document:
            parameters = parameters_of("the request", document)
            in_binary = flag("the request", parameters, "binary_data_output", default=False)
        outputs = self._selected(document.get("outputs"), in_binary=in_binary)
        entries = document.get("inputs")
        if type(entries) is not list or not entries:
            raise BadRequestError(f"'inputs': expected a list of input tensors, got {kind(entries)}")
        inputs = None if tail else self._tensors_of_lists(entries) if self._whole else self._columns_of_lists(entries)
        if inputs is None:
            return self.gather(identity, _parts(entries, tail), outputs)
        rows: int = entries[0]["shape"][0]
        return _infer_request((identity, rows, inputs, outputs, True))

    def _columns_of_lists(self, entries: list[Any]) -> dict[str, InputValues] | None:
        """Read inputs of the most frequent form: columns of their own datatype, each with a flat list for its rows.

        Returns:
            The inputs; None where anything is otherwise, for the careful way to read or to refuse.
        """
        inputs: dict[str, InputValues] = {}
        rows = None
        try:
            for entry in entries:
                name, datatype, shape, data = _FIELDS(entry)
                (size,) = shape
                if size != rows:
                    if rows is not None or type(size) is not int or not 0 < size <= self._max_batch:
                        return None
                    rows = size
                if datatype != self._flat[name] or type(data) is not list or type(shape) is not list:
                    return None
                if len(data) != size or type(size) is not int or type(data[0]) is list or len(entry) != _FEW:
                    return None
                inputs[name] = _input_values((datatype, data))
        except (KeyError, TypeError, ValueError):
            return None
        return inputs if len(inputs) == len(entries) == len(self.columns) else None

    def _tensors_of_lists(self, entries: list[Any]) -> dict[str, InputValues] | None:
        """Do what `_columns_of_lists` does, for a model whose inputs are tensors, each one flat list."""
        inputs: dict[str, InputValues] = {}
        rows = None
        try:
            for entry in entries:
                name, datatype, shape, data = _FIELDS(entry)
                own, inner, size = self._whole[name]
                if datatype != own or len(entry) != _FEW or type(data) is not list or type(shape) is not list:
                    return None
                if not _INT.issuperset(map(type, shape)) or shape[1:] != inner:
                    return None
                if rows != shape[0] and (rows is not None or not 0 < shape[0] <= self._max_batch):
                    return None
                rows = shape[0]
                if len(data) != rows * size or type(data[0]) is list:
                    return None
                inputs[name] = _input_values((datatype, data))
        except (KeyError, TypeError, ValueError, IndexError):
            return None
        return inputs if len(inputs) == len(entries) == len(self.columns) else None

    def gather(
        self, identity: str | None, parts: Iterable[Part], outputs: tuple[RequestedOutput, ...] = ()
    ) -> InferRequest:
        """Check the structure of one request of any protocol.

        Args:
            identity: The client's own name for the request.
            parts: Its inputs.
            outputs: What `output` made of those asked for; none for all of the model's.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """
        inputs: dict[str, InputValues] = {}
        rows, plain = 0, True
        for name, datatype, shape, data in parts:
            column = self.columns.get(name) if type(name) is str else None
            if column is None:
                raise BadRequestError(unknown("input", name, self.columns))
            if name in inputs:
                raise BadRequestError(f"input {name!r} is given twice")
            if type(datatype) is not str or datatype not in column.datatypes:
                known = " or ".join(sorted(column.datatypes))
                raise BadRequestError(f"input {name!r}: expected datatype {known}, got {short(datatype)}")
            here = self._rows(column, shape)
            if rows and rows != here:
                raise BadRequestError(f"input {name!r} has {here} rows, the inputs before it have {rows}")
            rows = here
            values = _values(column, datatype, shape, data)
            plain = plain and type(values) is list and datatype == self._own[name]
            inputs[name] = _input_values((datatype, values))
        if len(inputs) != len(self.columns):
            missing = [name for name in self.columns if name not in inputs]
            raise BadRequestError(
                f"{len(missing)} inputs of model {self._model!r} are missing: {listed(missing)}; "
                "send null in 'data' for values that are not known"
            )
        return InferRequest(identity, rows, inputs, outputs or self._outputs, plain)

    def output(self, name: Any, *, in_binary: bool = False, classes: int = 0) -> RequestedOutput:
        """Check one output that is asked for.

        Args:
            name: The output's.
            in_binary: Whether as a binary tensor.
            classes: How many top classes instead of the tensor (classification extension); 0 for the tensor.

        Raises:
            BadRequestError: The model has no such output, or no numbers there to rank.
        """
        datatype = self._datatypes.get(name) if type(name) is str else None
        if datatype is None:
            raise BadRequestError(unknown("output", name, self._datatypes))
        if classes and datatype in {"BYTES", "BOOL"}:
            raise BadRequestError(f"output {name!r} is of {datatype}; parameter 'classification' ranks numbers only")
        return RequestedOutput(name, in_binary, classes)

    def _rows(self, column: Column | TensorColumn, shape: Any) -> int:
        if type(shape) is not list or not shape or not _sizes(shape) or not column.fits(shape[1:]):
            raise BadRequestError(f"input {column.name!r}: expected shape {column.shapes}, got {short(shape)}")
        rows: int = shape[0]
        if rows == 0:
            raise BadRequestError(f"input {column.name!r}: expected at least one row, got shape {short(shape)}")
        if rows > self._max_batch:
            raise BadRequestError(f"input {column.name!r}: expected at most {self._max_batch} rows, got {rows}")
        return rows

    def _selected(self, outputs: Any, *, in_binary: bool) -> tuple[RequestedOutput, ...]:
        if outputs is None or outputs == []:
            return self._binary_outputs if in_binary else self._outputs
        if type(outputs) is not list:
            raise BadRequestError(f"'outputs': expected a list of objects, got {kind(outputs)}")
        chosen: dict[str, RequestedOutput] = {}
        for entry in outputs:
            if type(entry) is not dict:
                raise BadRequestError(f"'outputs': expected objects, got {kind(entry)}")
            where = f"output {short(entry.get('name'))}"
            parameters = parameters_of(where, entry)
            asked = self.output(
                entry.get("name"),
                in_binary=flag(where, parameters, "binary_data", default=in_binary),
                classes=count(where, parameters, "classification") or 0,
            )
            if asked.name in chosen:
                raise BadRequestError(f"output {asked.name!r} is asked for twice")
            chosen[asked.name] = asked
        return tuple(chosen.values())


def _parts(entries: list[Any], tail: memoryview) -> Iterator[Part]:
    start = 0
    for entry in entries:
        if type(entry) is not dict:
            raise BadRequestError(f"'inputs': expected objects, got {kind(entry)}")
        data = entry.get("data")
        if "parameters" in entry:
            where = f"input {short(entry.get('name'))}"
            size = count(where, parameters_of(where, entry), "binary_data_size")
            if size is not None:
                if data is not None:
                    raise BadRequestError(f"{where}: expected either 'data' or 'binary_data_size', got both")
                left = len(tail) - start
                if size > left:
                    raise BadRequestError(
                        f"{where}: 'binary_data_size' is {size}, but only {left} bytes are left behind the JSON "
                        "(header Inference-Header-Content-Length says where it ends)"
                    )
                data = tail[start : start + size]
                start += size
        yield entry.get("name"), entry.get("datatype"), entry.get("shape"), data
    if start != len(tail):
        raise BadRequestError(f"{len(tail) - start} bytes are left over behind the binary tensors of the inputs")


def _values(column: Column | TensorColumn, datatype: str, shape: list[int], data: Any) -> Any:
    if type(data) is list:
        values = column.flatten(data, shape)
        if values is not None:
            return values
    elif type(data) is memoryview:
        return binary.decode(column.name, datatype, math.prod(shape), data)
    elif type(data) is np.ndarray and len(data) == math.prod(shape):
        return data
    got = f"a list of {len(data)}" if type(data) in {list, np.ndarray} else kind(data)
    raise BadRequestError(
        f"input {column.name!r}: expected 'data' to be a list of {math.prod(shape)} values as its shape says, got {got}"
    )


def _sizes(shape: list[Any]) -> bool:
    return all(type(size) is int and size >= 0 for size in shape)
