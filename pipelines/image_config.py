"""The config of a pipeline of images: `images` in place of contract, source and preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.automation.config import NotifyConfig
from pipelines.places import place_beside
from pipelines.scheduling.config import Schedules
from pipelines.scheduling.partitions import PartitionsConfig
from pipelines.search.config import SearchConfig
from pipelines.watch.config import WatchConfig, require_tables
from tasks.calibration.config import CalibrateConfig, require_calibration
from tasks.cross_validation.config import CrossValidateConfig, require_image_folds
from tasks.engine import DaskConfig
from tasks.errors import ConfigError
from tasks.evaluation.evaluate import EvaluateConfig
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.images.config import ImagesConfig, require_images
from tasks.images.sources import ImageSourceConfig
from tasks.models.config import require_readable
from tasks.models.images.cnn import CnnConfig
from tasks.preprocessing.targets import Problem
from tasks.promotion.group_gates import require_group_gates
from tasks.promotion.promote import PromoteConfig
from tasks.promotion.requirements import require_gates
from tasks.slices.config import SlicesConfig
from tasks.training.requirements import require_fitting
from tasks.training.start import start_beside
from tasks.training.train import TrainConfig


class ImagePipelineConfig(BaseModel):
    """Everything a run over images needs to know; the model half is that of tables.

    Attributes:
        name: The pipeline's name; its runs stand under `runs/<name>/`.
        model: The model's name in the store and in the endpoint's path.
        images: Where the images are, what they become, and how they are split and augmented.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    model: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    images: ImagesConfig
    train: TrainConfig = TrainConfig(model=CnnConfig())
    cross_validate: CrossValidateConfig | None = None
    calibrate: CalibrateConfig = CalibrateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    search: SearchConfig | None = None
    promote: PromoteConfig = PromoteConfig()
    dask: DaskConfig = DaskConfig()
    schedule: Schedules = ()
    partitions: PartitionsConfig | None = None
    watch: WatchConfig | None = None
    notify: tuple[NotifyConfig, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _a_network_of_images(cls, value: Any) -> Any:
        """Let a section `train` that names no model have the default of images, not that of tables."""
        train = value.get("train") if isinstance(value, dict) else None
        return {**value, "train": {"model": "cnn", **train}} if isinstance(train, dict) else value

    @property
    def source(self) -> ImageSourceConfig:
        """Where the images are."""
        return self.images.source

    @property
    def augment(self) -> ImageAugmentConfig:
        """What training does to every batch."""
        return self.images.augment

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What kind of problem it can be; without the names of the classes only the images tell."""
        classes = self.images.source.classes
        if classes is None:
            return "multiclass", "binary"
        return ("binary",) if len(classes) == 2 else ("multiclass",)

    def beside(self, folder: Path) -> ImagePipelineConfig:
        """Return the config with the source's path taken from a folder, where it is relative."""
        source = self.source.model_copy(update={"path": place_beside(folder, self.source.path)})
        train = self.train.model_copy(update={"start_from": start_beside(self.train.start_from, folder)})
        return self.model_copy(update={"images": self.images.model_copy(update={"source": source}), "train": train})


def require_sound_images(config: ImagePipelineConfig) -> None:
    """Check that the sections fit each other; nothing is read.

    Raises:
        ConfigError: The config asks for what cannot be.
    """
    require_tables(config.watch)
    require_images(config.images)
    require_readable(config.train.model, images=True)
    require_fitting(config.train, config.problems[0])
    if config.cross_validate is not None:
        copies, grouped = config.images.copies is not None, config.images.split.method == "group"
        require_image_folds(config.cross_validate, copies=copies, grouped=grouped)
    require_calibration(config.calibrate, config.problems)
    if config.evaluate.slices != SlicesConfig():
        raise ConfigError("evaluate.slices: images have no columns to be grouped by\n  do: leave the section out")
    require_gates(config.promote.gates, config.problems)
    require_group_gates(config.promote.gates, None, config.problems)
