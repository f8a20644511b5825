"""One loaded model version: decodes, predicts, encodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from serving.bundle.errors import BundleError
from serving.bundle.manifest import BundleManifest
from serving.bundle.read import read_bundle
from serving.bundle.session import SESSION_ERRORS, open_session
from serving.columns import DTYPES, Tensor
from serving.decode import Decoder, InferRequest
from serving.encode import encode
from serving.rules import UnservableError

_WARM_UP_RUNS = 3
_ZEROS = {"string": "", "float64": 0.0, "float32": 0.0, "int64": 0, "bool": False, "uint8": 0}


class PredictionError(RuntimeError):
    """The graph failed on a request that keeps the contract: the model is at fault, not the client."""


class LoadedModel:
    """A model version that is ready to answer. It keeps nothing between requests, so threads may share it."""

    def __init__(self, manifest: BundleManifest, version: str, session: ort.InferenceSession, decoder: Decoder) -> None:
        self.manifest = manifest
        self.name = manifest.model
        self.version = version
        self._session = session
        self._decoder = decoder
        self._outputs = {spec.name: spec for spec in manifest.outputs}

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
        try:
            decoder = Decoder(manifest, max_batch)
        except UnservableError as error:
            raise BundleError.at(path, str(error)) from error
        model = cls(manifest, version, open_session(path, content, manifest), decoder)
        feed: dict[str, Tensor] = {
            spec.name: np.full((1, *spec.shape), _ZEROS[spec.tensor], dtype=DTYPES[spec.tensor])
            for spec in manifest.inputs
        }
        request = InferRequest(None, feed, 1, tuple(model._outputs))
        try:
            for _ in range(_WARM_UP_RUNS):
                model.predict(request)
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

    def infer(self, body: bytes) -> bytes:
        """Answer one inference request.

        Args:
            body: The request's JSON text.

        Raises:
            BadRequestError: The request is not one that this model takes.
            PredictionError: The graph failed.
        """
        return self.predict(self._decoder.decode(body))

    def predict(self, request: InferRequest) -> bytes:
        """Run the graph on a decoded request and encode the answer.

        Raises:
            PredictionError: The graph failed.
        """
        try:
            tensors = self._session.run(request.outputs, request.feed)
        except SESSION_ERRORS as error:
            raise PredictionError(f"{error!s:.500}") from error
        outputs = [(self._outputs[name], tensor) for name, tensor in zip(request.outputs, tensors, strict=True)]
        return encode(self.name, self.version, request.id, outputs)
