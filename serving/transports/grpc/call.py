"""One inference call of gRPC; typed contents and raw bytes are read alike, and answered in the form that was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from serving.errors import BadRequestError
from serving.protocol import binary
from serving.protocol.answer import Answer, Written
from serving.protocol.parameters import count, parameters_of
from serving.protocol.reader import Part, RequestReader
from serving.records.datatypes import WIRE_DTYPES, Tensor
from serving.records.request import InferRequest, RequestedOutput
from serving.transports.grpc import inference_pb2 as messages

# The field of `InferTensorContents` that holds a datatype's elements; FP16 has none and travels raw.
_FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


class GrpcCall:
    """A `ModelInfer` call.

    Args:
        message: The request.
    """

    def __init__(self, message: messages.ModelInferRequest) -> None:
        self._message = message
        self.id: str | None = message.id or None

    def read(self, reader: RequestReader) -> InferRequest:
        """Return the request, checked by that reader.

        Raises:
            BadRequestError: It is not a request that this model takes.
        """
        parameters_of("the request", {"parameters": _parameters(self._message)})
        outputs: dict[str, RequestedOutput] = {}
        for asked in self._message.outputs:
            where = f"output {asked.name!r:.120}"
            parameters = parameters_of(where, {"parameters": _parameters(asked)})
            output = reader.output(asked.name, classes=count(where, parameters, "classification") or 0)
            if output.name in outputs:
                raise BadRequestError(f"{where} is asked for twice")
            outputs[output.name] = output
        return reader.gather(self.id, self._parts(), tuple(outputs.values()))

    def write(self, request: InferRequest, answer: Answer) -> Written:
        """Return the `ModelInferResponse`, raw where the request was, or where an output has no typed form."""
        response = messages.ModelInferResponse(
            model_name=answer.form.model, model_version=answer.form.version, id=request.id or ""
        )
        outputs = [(asked.name, *answer.asked(asked)) for asked in request.outputs]
        # All outputs are raw or none is.
        raw = bool(self._message.raw_input_contents) or any(datatype not in _FIELDS for _, datatype, _ in outputs)
        for name, datatype, tensor in outputs:
            output = response.outputs.add(name=name, datatype=datatype, shape=tensor.shape)
            if raw:
                response.raw_output_contents.append(binary.encode(datatype, tensor))
            else:
                elements = tensor.ravel().tolist()
                if datatype == "BYTES":
                    elements = [element.encode() for element in elements]
                getattr(output.contents, _FIELDS[datatype]).extend(elements)
        return Written(response.SerializeToString())

    def _parts(self) -> Iterator[Part]:
        inputs, raw = self._message.inputs, self._message.raw_input_contents
        if raw and len(raw) != len(inputs):
            raise BadRequestError(f"'raw_input_contents': {len(inputs)} inputs, but {len(raw)} entries")
        for index, entry in enumerate(inputs):
            where = f"input {entry.name!r:.120}"
            parameters_of(where, {"parameters": _parameters(entry)})
            if raw and entry.HasField("contents"):
                raise BadRequestError(f"{where}: expected either 'contents' or 'raw_input_contents', got both")
            data = memoryview(raw[index]) if raw else _contents(where, entry)
            yield entry.name, entry.datatype, list(entry.shape), data


def _contents(where: str, entry: Any) -> Tensor | list[str] | None:
    """Return an input's typed elements: texts, or a tensor of the wire's dtype; None for an unknown datatype."""
    field = _FIELDS.get(entry.datatype)
    if field is None:
        return None
    for other, _ in entry.contents.ListFields():
        if other.name != field:
            raise BadRequestError(f"{where}: expected {entry.datatype} in {field!r}, got {other.name!r}")
    elements = list(getattr(entry.contents, field))
    try:
        if entry.datatype == "BYTES":
            return [element.decode() for element in elements]
        return np.array(elements, dtype=WIRE_DTYPES[entry.datatype])
    except UnicodeDecodeError as error:
        raise BadRequestError(f"{where}: an element is not UTF-8") from error
    except OverflowError as error:
        raise BadRequestError(f"{where}: an element does not fit into {entry.datatype}") from error


def _parameters(entry: Any) -> Mapping[str, Any]:
    chosen = ((name, given, given.WhichOneof("parameter_choice")) for name, given in entry.parameters.items())
    return {name: None if choice is None else getattr(given, choice) for name, given, choice in chosen}
