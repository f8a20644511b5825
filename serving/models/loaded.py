"""One loaded model version: reads its requests, checks their values, predicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from serving.bundle.errors import BundleError
from serving.bundle.manifest import BundleManifest
from serving.bundle.read import read_bundle
from serving.bundle.session import SESSION_ERRORS, open_session
from serving.errors import ContractViolationError, RequestError, without_frames
from serving.protocol.answer import Answer, AnswerForm, Outputs, Run
from serving.protocol.reader import RequestReader
from serving.records.datatypes import DTYPES
from serving.records.request import InferRequest
from serving.records.rules import UnservableError
from serving.records.tensors import Feed, Tensors
from serving.watch.runs import RunWatch

_WARM_UP_RUNS = 3
# Requests have so many rows on average at most, where most of them have one.
_LONE = 2


class PredictionError(RuntimeError):
    """The graph failed on a request that keeps the contract: the model is at fault, not the client."""


Outcome = Answer | RequestError | PredictionError


class LoadedModel:
    """A model version that is ready to answer. It keeps nothing between requests, so threads may share it.

    Attributes:
        reader: Reads requests for this version.
        watch: Sees every run that answers requests; None for nobody.
        warm_seconds: Processor time of a run of one row, once the first runs were made; 0 where none was.
    """

    def __init__(self, manifest: BundleManifest, version: str, session: ort.InferenceSession, max_batch: int) -> None:
        self.manifest = manifest
        self.name = manifest.model
        self.version = version
        self.reader = RequestReader(manifest, max_batch)
        self._tensors = Tensors(manifest)
        self._session = session
        self._form = AnswerForm(manifest, version)
        self._outputs = tuple(self._form.outputs)
        self.warm_seconds = 0.0
        self.watch: RunWatch | None = None

    @classmethod
    def load(cls, path: Path, version: str, max_batch: int) -> LoadedModel:
        """Check a bundle, load it and run it once, so that no request is the first.

        Args:
            path: The bundle's folder.
            version: The version's name in the store.
            max_batch: The largest number of rows in one request.

        Raises:
            BundleError: The bundle is broken, cannot be served, or fails on a row of zeros.
        """
        manifest, content = read_bundle(path)
        session = open_session(path, content, manifest)
        try:
            model = cls(manifest, version, session, max_batch)
        except UnservableError as error:
            raise BundleError.at(path, str(error)) from error
        try:
            model._warm_up()
        except (PredictionError, MemoryError, ValueError) as error:
            raise BundleError.at(path, f"the graph fails on a row of zeros: {error}") from error
        return model

    def _warm_up(self) -> None:
        feed: Feed = {
            spec.name: np.full((1, *spec.shape), "" if spec.tensor == "string" else 0, dtype=DTYPES[spec.tensor])
            for spec in self.manifest.inputs
        }
        for _ in range(_WARM_UP_RUNS):
            started = time.thread_time()
            _check_rows(self.run(feed), 1)
            self.warm_seconds = time.thread_time() - started

    def metadata(self) -> dict[str, Any]:
        """Return the protocol's description of the model; -1 stands for the batch."""
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": "onnx_onnxv1",
            "inputs": [{"name": s.name, "datatype": s.datatype, "shape": [-1, *s.shape]} for s in self.manifest.inputs],
            "outputs": [{"name": s.name, "datatype": s.datatype, "shape": s.shape} for s in self.manifest.outputs],
        }

    def predict(self, requests: Sequence[InferRequest]) -> list[Outcome]:
        """Answer requests of this model, in one run of the graph where no value and no run is at fault.

        Args:
            requests: What `reader` made of them; at least one.

        Returns:
            For each request, in their order, its answer or why there is none.
        """
        began = time.perf_counter()
        feed = self._tensors.joined(requests)
        if feed is None:
            return self._without_faults(requests)
        try:
            return self._answered(feed, requests, began)
        except PredictionError as error:
            if len(requests) == 1:
                return [without_frames(error)]
        # The graph fails on somebody's values; nobody else's answer may suffer.
        return [self._predict_alone(request) for request in requests]

    def run(self, feed: Feed) -> Outputs:
        """Run the graph.

        Raises:
            PredictionError: It failed.
        """
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))
        except SESSION_ERRORS as error:
            raise PredictionError(f"{error!s:.500}") from error

    def _without_faults(self, requests: Sequence[InferRequest]) -> list[Outcome]:
        """Say who breaks the contract, and answer the others together."""
        faults = [self._fault(request) for request in requests]
        good = [request for request, fault in zip(requests, faults, strict=True) if fault is None]
        if len(good) == len(requests):
            return [self._predict_alone(request) for request in requests]
        answers = iter(self.predict(good) if good else ())
        return [next(answers) if fault is None else fault for fault in faults]

    def _fault(self, request: InferRequest) -> ContractViolationError | None:
        try:
            self._tensors.feed(request)
        except ContractViolationError as error:
            return without_frames(error)
        return None

    def _predict_alone(self, request: InferRequest) -> Outcome:
        began = time.perf_counter()
        try:
            return self._answered(self._tensors.feed(request), [request], began)[0]
        except (ContractViolationError, PredictionError) as error:
            return without_frames(error)

    def _answered(self, feed: Feed, requests: Sequence[InferRequest], began: float) -> list[Outcome]:
        outputs = self.run(feed)
        sizes = [request.rows for request in requests]
        rows, count = sum(sizes), len(sizes)
        _check_rows(outputs, rows)
        ended = time.perf_counter()
        if self.watch is not None:
            self.watch.ran(requests, feed, outputs, ended - began)
        if count == 1:
            return [Answer(Run(self._form, outputs, began=began, ended=ended))]
        run = Run(self._form, outputs, lone=rows < _LONE * count, began=began, ended=ended)
        starts = accumulate(sizes, initial=0)
        return [Answer(run, start, size) for start, size in zip(starts, sizes, strict=False)]


def _check_rows(outputs: Outputs, rows: int) -> None:
    """See that a graph gave one row for each that entered it; else answers could not be told apart.

    Raises:
        PredictionError: It did not.
    """
    for name, tensor in outputs.items():
        if tensor.shape[:1] != (rows,):
            raise PredictionError(f"output {name!r}: expected {rows} rows, got shape {list(tensor.shape)}")
