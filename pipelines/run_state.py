"""What one run holds on to: its settings, and the references to what it made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from data_contracts.contract import Contract
from pipelines.config import PipelineConfig
from tasks.engine import DaskConfig
from tasks.references import (
    BundleRef,
    CertificateRef,
    CheckpointRef,
    DatasetRef,
    DocsRef,
    EvaluationRef,
    LabelNoiseRef,
    LeakageRef,
    PreprocessingRef,
    Reference,
    SplitRef,
    ValidationRef,
)

REFERENCES = "references.json"


@dataclass(frozen=True)
class Run:
    """What stays the same through one run.

    Attributes:
        home: Where datasets, models and runs stand.
        folder: This run's own folder, `runs/<pipeline>/<run id>` below `home`.
        dask: The cluster that the data work runs on.
    """

    config: PipelineConfig
    contract: Contract
    home: Path
    folder: Path
    dask: DaskConfig


@dataclass(frozen=True)
class Data:
    """References to everything that the data half made.

    Attributes:
        features: What models are evaluated on.
        training: What they are trained on: the features, or those of `augment`.
    """

    raw: DatasetRef
    validation: ValidationRef
    clean: DatasetRef
    split: SplitRef
    leaks: LeakageRef
    preprocessing: PreprocessingRef
    features: DatasetRef
    label_noise: LabelNoiseRef | None
    training: DatasetRef
    documents: DocsRef


@dataclass(frozen=True)
class Model:
    """References to everything that the model half made."""

    checkpoint: CheckpointRef
    evaluation: EvaluationRef
    candidate: BundleRef
    certificate: CertificateRef


def references(made: Data | Model) -> dict[str, Reference]:
    """Return the references by name."""
    named = {field.name: getattr(made, field.name) for field in fields(made)}
    return {name: reference for name, reference in named.items() if reference is not None}
