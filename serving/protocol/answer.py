"""Write predictions as Open Inference Protocol answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import orjson

from serving.bundle.manifest import BundleManifest, Datatype, OutputSpec
from serving.protocol import binary
from serving.protocol.classification import labels_of, top_classes
from serving.records.request import InferRequest, RequestedOutput

Outputs = dict[str, np.ndarray[Any, np.dtype[Any]]]


class OutputForm(NamedTuple):
    """What is the same in every answer with one output.

    Attributes:
        head: Its JSON, up to the shape.
        labels: Of its columns; none where they have none.
    """

    spec: OutputSpec
    head: bytes
    labels: tuple[str, ...]


class AnswerForm:
    """What is the same in every answer of a model version.

    Attributes:
        model: The model's name.
        version: The version's name in the store.
        outputs: Every output of the model, by name.
    """

    def __init__(self, manifest: BundleManifest, version: str) -> None:
        self.model = manifest.model
        self.version = version
        self.head = b'{"model_name":%b,"model_version":%b' % (orjson.dumps(manifest.model), orjson.dumps(version))
        self.outputs = {
            spec.name: OutputForm(spec, _head(spec.name, spec.datatype), labels_of(spec, manifest))
            for spec in manifest.outputs
        }


class Answer(NamedTuple):
    """What a model version predicted for one request.

    Attributes:
        form: The version's.
        outputs: By name, each [rows, ...]; at least those that the request asked for.
        ran: `time.perf_counter()` when the model's run began, and when it ended.
    """

    form: AnswerForm
    outputs: Outputs
    ran: tuple[float, float] = (0.0, 0.0)

    def asked(self, output: RequestedOutput) -> tuple[Datatype, np.ndarray[Any, np.dtype[Any]]]:
        """Return an output's datatype and tensor as it was asked for: itself, or its top classes as BYTES."""
        form, tensor = self.form.outputs[output.name], self.outputs[output.name]
        if output.classes:
            return "BYTES", top_classes(tensor, output.classes, form.labels)
        return form.spec.datatype, tensor


class Encoded(NamedTuple):
    """An answer's body.

    Attributes:
        json_length: How many bytes of it are JSON, where binary tensors follow; None where all are.
    """

    body: bytes
    json_length: int | None


def encode(request: InferRequest, answer: Answer) -> Encoded:
    """Write an answer.

    Returns:
        JSON with `data` flat, in row-major order, a number that is not finite as null; the tensors that were asked for
        in binary behind it.
    """
    form = answer.form
    parts = [form.head]
    if request.id is not None:
        parts += (b',"id":', orjson.dumps(request.id))
    opening, blobs = b',"outputs":[', []
    for asked in request.outputs:
        parts.append(opening)
        opening = b","
        if not asked.classes and not asked.binary:
            # By far the most frequent case.
            output, tensor = form.outputs[asked.name], answer.outputs[asked.name]
            parts += (output.head, orjson.dumps(tensor.shape), b',"data":', _data(output.spec.datatype, tensor), b"}")
            continue
        datatype, tensor = answer.asked(asked)
        parts += (_head(asked.name, datatype), orjson.dumps(tensor.shape))
        if asked.binary:
            blobs.append(binary.encode(datatype, tensor))
            parts.append(b',"parameters":{"binary_data_size":%d}}' % len(blobs[-1]))
        else:
            parts += (b',"data":', _data(datatype, tensor), b"}")
    parts.append(b"]}")
    document = b"".join(parts)
    return Encoded(b"".join((document, *blobs)), len(document)) if blobs else Encoded(document, None)


def _head(name: str, datatype: Datatype) -> bytes:
    return b'{"name":%b,"datatype":"%b","shape":' % (orjson.dumps(name), datatype.encode())


def _data(datatype: Datatype, tensor: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    if datatype == "BYTES":
        return orjson.dumps(tensor.ravel().tolist())
    # orjson writes numeric arrays by itself, each number as short as its own type allows.
    return orjson.dumps(tensor.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
