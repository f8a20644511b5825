"""References: what travels between pieces of work in place of data.

Each is a small frozen model: where the thing is and its digest. A reference is valid only as long as the files
under its path have that digest; `tasks.storage` makes folders content-addressed, so they never change in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class Reference(BaseModel):
    """Something on disk, and the digest of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    digest: str


class DatasetRef(Reference):
    """A dataset: a folder with `manifest.json` (`tasks.data.partitions.Manifest`) that names its partitions."""

    rows: int


class ValidationRef(Reference):
    """What validation found: verdicts per row, counts per rule, genuine Great Expectations results."""

    rows: int
    kept: int
    quarantined: int


class SplitRef(Reference):
    """The split of every row of a dataset: one uint8 per row, partition by partition."""

    rows: Mapping[str, int]


class PreprocessingRef(Reference):
    """Fitted constants: `preprocessing.json`."""


class CheckpointRef(Reference):
    """The best network of a training run: `network.safetensors` and `network.json`."""


class EvaluationRef(Reference):
    """Metrics, curves and held-out predictions of one checkpoint."""


class BundleRef(Reference):
    """A deployable folder."""

    model: str


class CertificateRef(Reference):
    """A parity certificate with measured latency and the trial load's outcome: `certificate.json`."""
