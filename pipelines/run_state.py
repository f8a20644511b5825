"""What one run holds on to: its settings, and the references to what it made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

from data_contracts.contract import Contract
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from tasks.engine import Client, DaskConfig
from tasks.references import (
    BundleRef,
    CalibrationRef,
    CertificateRef,
    CheckpointRef,
    CrossValidationRef,
    DatasetRef,
    DocsRef,
    EvaluationRef,
    ExplanationRef,
    LabelNoiseRef,
    LeakageRef,
    PreprocessingRef,
    Reference,
    SlicesRef,
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
        partition: The part of the data that is run on; None where the config is not cut into partitions.
    """

    config: PipelineConfig | ImagePipelineConfig
    contract: Contract
    home: Path
    folder: Path
    dask: DaskConfig
    partition: str | None = None

    def on(self, client: Client) -> Run:
        """Return the run with its data work on a cluster that is there, if there is one."""
        if client.address is None:
            return self
        return replace(self, dask=self.dask.model_copy(update={"scheduler_address": client.address}))


@dataclass(frozen=True)
class Data:
    """References to everything that the data half made.

    Attributes:
        features: What models are evaluated on.
        training: What they are trained on: the features, or those of `augment`.
        leaks: None for images.
        documents: None for images, and until they are made.
    """

    raw: DatasetRef
    validation: ValidationRef
    clean: DatasetRef
    split: SplitRef
    leaks: LeakageRef | None
    preprocessing: PreprocessingRef
    features: DatasetRef
    label_noise: LabelNoiseRef | None
    training: DatasetRef
    documents: DocsRef | None = None


@dataclass(frozen=True)
class Model:
    """References to everything that the model half made.

    Attributes:
        cross_validation: None where the config asks for none, as is the explanation.
        slices: None for images.
    """

    checkpoint: CheckpointRef
    calibration: CalibrationRef
    evaluation: EvaluationRef
    candidate: BundleRef
    certificate: CertificateRef
    cross_validation: CrossValidationRef | None = None
    slices: SlicesRef | None = None
    explanation: ExplanationRef | None = None


def references(made: Data | Model) -> dict[str, Reference]:
    """Return the references by name."""
    named = {field.name: getattr(made, field.name) for field in fields(made)}
    return {name: reference for name, reference in named.items() if reference is not None}
