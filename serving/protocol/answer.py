"""Write predictions as Open Inference Protocol answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import orjson

from serving.bundle.manifest import BundleManifest, Datatype, OutputSpec
from serving.protocol import binary
from serving.protocol.classification import labels_of, top_classes
from serving.records.request import InferRequest, RequestedOutput

Outputs = dict[str, np.ndarray[Any, np.dtype[Any]]]
_BINARY = b"application/octet-stream"


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


class Run:
    """What one run of a version's graph gave, for all requests that were joined in it.

    Attributes:
        form: The version's.
        outputs: By name, each [rows, ...].
        lone: Whether most requests had one row, and there were several.
        began: `time.perf_counter()` when the run began.
        ended: The same when it ended.
    """

    __slots__ = ("_asked", "_tails", "began", "ended", "form", "lone", "outputs")

    def __init__(
        self, form: AnswerForm, outputs: Outputs, *, lone: bool = False, began: float = 0.0, ended: float = 0.0
    ) -> None:
        self.form = form
        self.outputs = outputs
        self.lone = lone
        self.began = began
        self.ended = ended
        self._asked: tuple[RequestedOutput, ...] | None = None
        self._tails: list[bytes] | None = None

    def tails(self, asked: tuple[RequestedOutput, ...]) -> list[bytes] | None:
        """Return for each row the end of the JSON that answers a request of this row alone.

        The numbers of all rows are written at once and taken apart: half of what a lone row costs is numpy's and
        orjson's way to its first number.

        Args:
            asked: The outputs.

        Returns:
            One text per row; None where an output is text, in binary, or only some classes of it are asked for, and
            where another request of the run has asked for others first.
        """
        if self._asked is None:
            self._asked, self._tails = asked, self._tails_of(asked)
        return self._tails if asked == self._asked else None

    def _tails_of(self, asked: tuple[RequestedOutput, ...]) -> list[bytes] | None:
        parts: list[Iterable[bytes]] = []
        opening = b',"outputs":['
        for name, in_binary, classes in asked:
            form, tensor = self.form.outputs[name], self.outputs[name]
            if in_binary or classes or form.spec.datatype == "BYTES":
                return None
            head = form.head + orjson.dumps((1, *tensor.shape[1:]))
            parts += (repeat(b'%b%b,"data":[' % (opening, head)), _row_texts(tensor))
            opening = b"]},"
        parts.append(repeat(b"]}]}"))
        return list(map(b"".join, zip(*parts, strict=False)))


class Answer:
    """What a model version predicted for one request: its rows of a run.

    Attributes:
        run: The run.
        start: The request's first row in it.
    """

    __slots__ = ("_rows", "run", "start")

    def __init__(self, run: Run, start: int = 0, rows: int | None = None) -> None:
        """Take a share of a run.

        Args:
            run: The run.
            start: The first row.
            rows: How many; None for a run that was the request's alone.
        """
        self.run = run
        self.start = start
        self._rows = rows

    @property
    def form(self) -> AnswerForm:
        """What is the same in every answer of the version."""
        return self.run.form

    @property
    def outputs(self) -> Outputs:
        """The predictions by name, each [rows, ...]; at least those that the request asked for."""
        if self._rows is None:
            return self.run.outputs
        stop = self.start + self._rows
        return {name: tensor[self.start : stop] for name, tensor in self.run.outputs.items()}

    def asked(self, output: RequestedOutput) -> tuple[Datatype, np.ndarray[Any, np.dtype[Any]]]:
        """Return an output's datatype and tensor as it was asked for: itself, or its top classes as BYTES."""
        form, tensor = self.form.outputs[output.name], self.outputs[output.name]
        if output.classes:
            return "BYTES", top_classes(tensor, output.classes, form.labels)
        return form.spec.datatype, tensor


class Written(NamedTuple):
    """An answer's bytes, and the headers that say how to read them."""

    body: bytes
    content_type: bytes = b"application/json"
    headers: Sequence[tuple[bytes, bytes]] = ()


def encode(request: InferRequest, answer: Answer) -> Written:
    """Write an answer.

    Returns:
        JSON with `data` flat, in row-major order, a number that is not finite as null; the tensors that were asked for
        in binary behind it, and the header that says where they begin.
    """
    run = answer.run
    head = run.form.head
    if request.id is not None:
        head = b'%b,"id":%b' % (head, orjson.dumps(request.id))
    if run.lone and request.rows == 1 and (tails := run.tails(request.outputs)) is not None:
        return Written(head + tails[answer.start])
    return _encoded(head, request, answer)


def _encoded(head: bytes, request: InferRequest, answer: Answer) -> Written:
    form, outputs = answer.form, answer.outputs
    parts = [head]
    opening, blobs = b',"outputs":[', []
    for asked in request.outputs:
        parts.append(opening)
        opening = b","
        if not asked.classes and not asked.binary:
            # By far the most frequent case.
            output, tensor = form.outputs[asked.name], outputs[asked.name]
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
    if not blobs:
        return Written(document)
    length = (b"inference-header-content-length", b"%d" % len(document))
    return Written(b"".join((document, *blobs)), _BINARY, (length,))


def _head(name: str, datatype: Datatype) -> bytes:
    return b'{"name":%b,"datatype":"%b","shape":' % (orjson.dumps(name), datatype.encode())


def _data(datatype: Datatype, tensor: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    if datatype == "BYTES":
        return orjson.dumps(tensor.ravel().tolist())
    # orjson writes numeric arrays by itself, each number as short as its own type allows.
    return orjson.dumps(tensor.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)


def _row_texts(tensor: np.ndarray[Any, np.dtype[Any]]) -> list[bytes]:
    """Return the numbers of each row as JSON, with commas between them."""
    text = orjson.dumps(np.ascontiguousarray(tensor.reshape(len(tensor), -1)), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].split(b"],[")
