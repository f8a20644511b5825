"""A model that answers with its input, so that an answer says whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread, current_thread
from typing import Any

import onnx.parser

from serving.bundle.manifest import InputRule, InputSpec, OutputSpec
from serving.models.loaded import LoadedModel, Outcome
from serving.protocol.answer import Answer
from serving.records.request import InferRequest
from tests.serving.bundles import write_bundle

INPUT = InputSpec(
    name="x",
    datatype="FP64",
    tensor="float64",
    logical_type="number",
    nullable=True,
    rules=(InputRule(id="x.minimum", kind="minimum", argument=0),),
)
OUTPUT = OutputSpec(name="y", datatype="FP64", shape=(-1,))


class WatchedModel(LoadedModel):
    """Notes of each run how many rows each request had, and in which thread it was."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[list[int]] = []
        self.threads: list[Thread] = []

    def predict(self, requests: Sequence[InferRequest]) -> list[Outcome]:
        self.seen.append([each.rows for each in requests])
        self.threads.append(current_thread())
        return super().predict(requests)


def identity(folder: Path, nodes: str = "y = Identity(x)", **changes: Any) -> WatchedModel:
    """Return a loaded model of one input that may not be negative, and one output."""
    text = '<ir_version: 10, opset_import: ["": 18]> g (double[batch] x) => (double[batch] y) <int64[1] one = {1}> '
    graph = onnx.parser.parse_model(f"{text} {{ {nodes} }}")
    write_bundle(folder, graph, inputs=(INPUT,), outputs=(OUTPUT,), **changes)
    model = WatchedModel.load(folder, "1", 10_000)
    assert isinstance(model, WatchedModel)
    return model


def asking(model: LoadedModel, values: Sequence[float | None]) -> InferRequest:
    """Return a request for these values."""
    entry = {"name": "x", "datatype": "FP64", "shape": [len(values)], "data": list(values)}
    return model.reader.read({"inputs": [entry]})


def answered_values(outcome: Outcome) -> list[float]:
    """Return what an answer says."""
    assert isinstance(outcome, Answer), outcome
    values: list[float] = outcome.outputs["y"].tolist()
    return values
