"""What there is to train: everything that a trainer of any kind of model is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch

from tasks.augmentation.accounting import AUGMENTATION
from tasks.augmentation.rows import AUGMENTED, PARENT, PARENT_2
from tasks.data.partitions import read_manifest, read_partition
from tasks.models.config import require_readable
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.references import DatasetRef, PreprocessingRef
from tasks.storage import digest_of
from tasks.training.config import TrainConfig
from tasks.training.on_the_fly import Augment
from tasks.training.splits import SplitTensors, read_split, require_trainable


@dataclass(frozen=True)
class TrainJob:
    """References and settings only, so that another process can be handed it.

    Attributes:
        features: A features dataset with a training and a validation split.
        preprocessing: What made it.
        config: How to train.
        home: The checkpoint folder is written under `home/checkpoints`.
        work: A folder that survives a kill.
        augment: What is done to batches: of tables with `when: batch`, of images all of it.
    """

    features: DatasetRef
    preprocessing: PreprocessingRef
    config: TrainConfig
    home: Path
    work: Path
    augment: Augment

    def material(self) -> Material:
        """Read the data.

        Raises:
            ConfigError: The model reads tables and there are images, or the other way round.
            TrainingError: No feature, an empty split, or one class in the target.
        """
        fitted = read_preprocessing(self.preprocessing)
        require_readable(self.config.model, images=fitted.image is not None)
        train, validation = (read_split(self.features, self.preprocessing, each) for each in ("train", "validation"))
        require_trainable(train, fitted)
        return Material(train=train, validation=validation, fitted=fitted, digest=self.features.digest)

    def training_column(self, name: str) -> pa.ChunkedArray | None:
        """Read another column of the features dataset for every training row; None where the dataset has none.

        Rows that augmentation made say by `PARENT`, `PARENT_2` and `AUGMENTED` what they were made from.
        """
        manifest = read_manifest(self.features)
        # Only the training split has these, so the manifest's columns leave them out.
        made = (PARENT, PARENT_2, AUGMENTED) if AUGMENTATION in manifest.digests else ()
        if name not in manifest.columns and name not in made:
            return None
        parts = [read_partition(self.features.folder, part, [name]) for part in manifest.of_split("train")]
        return pa.chunked_array([chunk for part in parts for chunk in part[name].chunks])


@dataclass(frozen=True)
class Material:
    """The data in memory: what is learned from, and what decides which weights are kept.

    Attributes:
        train: The training split.
        validation: The validation split.
        fitted: What made them.
        digest: Of the rows in both. Whoever trains on other rows than a dataset's splits gives another.
    """

    train: SplitTensors
    validation: SplitTensors
    fitted: Preprocessing
    digest: str


def run_folder(work: Path, material: Material, config: TrainConfig, augment: Augment) -> Path:
    """Make the folder in which exactly this training can go on after a kill.

    Another device, number of threads or torch sums in another order, so it may not continue the same run.
    """
    identity = digest_of(
        {
            "features": material.digest,
            "preprocessing": material.fitted.model_dump(mode="json"),
            "config": config.digest,
            "augment": augment.model_dump(mode="json"),
            "device": config.machine.device(),
            "threads": config.machine.thread_count(),
            "torch": torch.__version__,
        }
    )
    folder = work / identity[:32]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
