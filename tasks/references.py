"""References: what travels between pieces of work in place of data.

Each is a small frozen model: where the thing is and its digest. A reference is valid only as long as the files
under its path have that digest; `tasks.storage` makes folders content-addressed, so they never change in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from serving.bundle.places import place


class Reference(BaseModel):
    """Something on disk or in an object store, and the digest of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    digest: str

    @property
    def folder(self) -> Path:
        """Where it is; never make a `Path` of `path`, which would take a URI for a local name."""
        return place(self.path)


class DatasetRef(Reference):
    """A dataset: a folder with `manifest.json` (`tasks.data.partitions.Manifest`) that names its partitions."""

    rows: int


class ValidationRef(Reference):
    """What validation found: verdicts per row, counts per rule, genuine Great Expectations results."""

    rows: int
    kept: int
    quarantined: int


class DocsRef(Reference):
    """The genuine Great Expectations suite and result, and Data Docs of both (`tasks.data.document`).

    Attributes:
        index: The page to open first, relative to the folder.
        failed: How many expectations fail, warnings included.
    """

    index: str
    failed: int


class SplitRef(Reference):
    """The split of every row of a dataset: one uint8 per row, partition by partition."""

    rows: Mapping[str, int]


class LeakageRef(Reference):
    """What the leakage check found: `findings.json`."""

    found: int


class LabelNoiseRef(Reference):
    """Rows of the training split whose labels look wrong: `label_noise.json` and `suspected.parquet`."""

    rows: int
    suspected: int


class PreprocessingRef(Reference):
    """Fitted constants: `preprocessing.json`."""


class CheckpointRef(Reference):
    """The best network of a training run: `network.safetensors` and `network.json`."""


class CrossValidationRef(Reference):
    """What cross-validation found: `cross_validation.json`, and `oof.parquet` with the out-of-fold predictions."""


class CalibrationRef(Reference):
    """Calibration and thresholds of one checkpoint: `decision.json` and `calibration.json`."""


class EvaluationRef(Reference):
    """Metrics, curves and held-out predictions of one checkpoint."""


class SlicesRef(Reference):
    """How good a model is on parts of the test split, and how fair: `slices.json`."""


class ExplanationRef(Reference):
    """What a model looks at: `explanation.json`."""


class BundleRef(Reference):
    """A deployable folder."""

    model: str


class CertificateRef(Reference):
    """A parity certificate with measured latency and the trial load's outcome: `certificate.json`."""
