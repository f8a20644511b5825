"""The two ways from raw rows to a prediction that must agree: the one that trained, and the one that serves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa

from serving.bundle.manifest import MODEL, BundleManifest, InputSpec
from serving.bundle.session import load_session
from tasks.export.outputs import Tensors, output_tensors
from tasks.export.raw_columns import feed
from tasks.images.layout import pixels_of
from tasks.models.predictor import Predictor
from tasks.models.spec import images_at_once, rows_at_once
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import NumberTarget
from tasks.preprocessing.transform import transform


@dataclass(frozen=True)
class TrainingPath:
    """The transform in numpy and Arrow, the trained model as its library runs it, and the decision in numpy."""

    preprocessing: Preprocessing
    predictor: Predictor
    decision: Decision = field(default_factory=Decision)

    @property
    def unit(self) -> float:
        """What a difference of numbers is measured in: the target's spread; 1 for probabilities."""
        target = self.preprocessing.target
        return target.spread if isinstance(target, NumberTarget) else 1.0

    def predict(self, table: pa.Table) -> Tensors:
        """Return what the graph must answer for typed rows, by output."""
        image = self.preprocessing.image
        if image is not None:
            scores = self.predictor.scores(pixels_of(table[image.column], image.shape))
        else:
            features = transform(table, self.preprocessing)
            scores = self.predictor.scores(features.numeric, features.categorical)
        target = self.preprocessing.target
        return output_tensors(predictions(scores, target, self.decision), target)


@dataclass(frozen=True)
class ServingPath:
    """The bundle's graph in onnxruntime, as the endpoint runs it."""

    session: onnxruntime.InferenceSession
    inputs: Sequence[InputSpec]

    @classmethod
    def open(cls, bundle: Path, manifest: BundleManifest) -> ServingPath:
        """Load a bundle's model as the endpoint does."""
        return cls(load_session((bundle / MODEL).read_bytes()), manifest.inputs)

    def predict(self, table: pa.Table) -> Tensors:
        """Return the graph's answer for typed rows, by output, a part of the rows at a time."""
        names = [output.name for output in self.session.get_outputs()]
        sizes = [math.prod(spec.shape[:2]) for spec in self.inputs if spec.logical_type == "image"]
        at_once = images_at_once(*sizes) if sizes else rows_at_once(len(self.inputs))
        parts = [
            self.session.run(names, feed(table.slice(start, at_once), self.inputs))
            for start in range(0, max(1, table.num_rows), at_once)
        ]
        return {name: np.concatenate(each) for name, each in zip(names, zip(*parts, strict=True), strict=True)}
