"""One loaded model version: reads its requests, checks their values, predicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from serving.bundle.errors import BundleError
from serving.bundle.manifest import BundleManifest
from serving.bundle.read import read_bundle
from serving.bundle.session import SESSION_ERRORS, open_session
from serving.errors import ContractViolationError
from serving.protocol.answer import Answer, Outputs
from serving.protocol.reader import RequestReader
from serving.records.column import DTYPES
from serving.records.request import InferRequest
from serving.records.rules import UnservableError
from serving.records.tensors import Feed, Tensors

_WARM_UP_RUNS = 3
_ZEROS = {"string": "", "float64": 0.0, "float32": 0.0, "int64": 0, "bool": False, "uint8": 0}


class PredictionError(RuntimeError):
    """The graph failed on a request that keeps the contract: the model is at fault, not the client."""


Outcome = Answer | ContractViolationError | PredictionError


class LoadedModel:
    """A model version that is ready to answer. It keeps nothing between requests, so threads may share it.

    Attributes:
        reader: Reads requests for this version.
    """

    def __init__(self, manifest: BundleManifest, version: str, session: ort.InferenceSession, max_batch: int) -> None:
        self.manifest = manifest
        self.name = manifest.model
        self.version = version
        self.reader = RequestReader(manifest, max_batch)
        self._tensors = Tensors(manifest)
        self._session = session
        self._specs = {spec.name: spec for spec in manifest.outputs}
        self._outputs = tuple(self._specs)

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
        feed: Feed = {
            spec.name: np.full((1, *spec.shape), _ZEROS[spec.tensor], dtype=DTYPES[spec.tensor])
            for spec in manifest.inputs
        }
        try:
            for _ in range(_WARM_UP_RUNS):
                model.run(feed)
        except PredictionError as error:
            raise BundleError.at(path, f"the graph fails on a row of zeros: {error}") from error
        return model

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
        feed = self._tensors.joined(requests)
        if feed is not None:
            try:
                return self._split(self.run(feed), requests)
            except PredictionError as error:
                if len(requests) == 1:
                    return [error]
        # Somebody's values are at fault; nobody else's answer may suffer.
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

    def _predict_alone(self, request: InferRequest) -> Outcome:
        try:
            return self._split(self.run(self._tensors.feed(request)), [request])[0]
        except (ContractViolationError, PredictionError) as error:
            return error

    def _split(self, outputs: Outputs, requests: Sequence[InferRequest]) -> list[Outcome]:
        if len(requests) == 1:
            return [Answer(self.name, self.version, outputs, self._specs)]
        outcomes: list[Outcome] = []
        start = 0
        for request in requests:
            rows = slice(start, start + request.rows)
            share = {name: tensor[rows] for name, tensor in outputs.items()}
            outcomes.append(Answer(self.name, self.version, share, self._specs))
            start = rows.stop
        return outcomes
