"""The two ways from raw rows to a prediction that must agree: the one that trained, and the one that serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import torch
from torch import nn

from serving.bundle.manifest import MODEL, BundleManifest, InputSpec
from tasks.export.model import class_array
from tasks.export.raw_columns import feed
from tasks.export.standards import LABEL, PROBABILITIES
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.transform import transform


@dataclass(frozen=True)
class TrainingPath:
    """The transform in numpy and Arrow, the network and its softmax in torch."""

    preprocessing: Preprocessing
    network: nn.Module

    def probabilities(self, table: pa.Table) -> np.ndarray:
        """Return the probabilities of typed rows as float32 [rows, classes]."""
        features = transform(table, self.preprocessing)
        with torch.inference_mode():
            logits = self.network(torch.from_numpy(features.numeric), torch.from_numpy(features.categorical))
            return np.asarray(torch.softmax(logits, dim=1).numpy())

    def labels(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the class of the largest probability, the first of equals, for each row."""
        return np.asarray(class_array(self.preprocessing.target.classes)[probabilities.argmax(axis=1)])


@dataclass(frozen=True)
class ServingPath:
    """The bundle's graph in onnxruntime, as the endpoint runs it."""

    session: onnxruntime.InferenceSession
    inputs: Sequence[InputSpec]

    @classmethod
    def open(cls, bundle: Path, manifest: BundleManifest) -> ServingPath:
        """Load a bundle's model on one thread."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            (bundle / MODEL).read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        return cls(session, manifest.inputs)

    def predict(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels [rows] and the probabilities float32 [rows, classes] of typed rows."""
        labels, probabilities = self.session.run([LABEL, PROBABILITIES], feed(table, self.inputs))
        return labels, probabilities
