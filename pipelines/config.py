"""A pipeline's config: one YAML file with a section for each task function."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_contracts.yaml_lines import YamlFile, YamlFileError, read_yaml
from pipelines.automation.config import NotifyConfig
from pipelines.config_errors import problems
from pipelines.image_config import ImagePipelineConfig
from pipelines.places import place_beside
from pipelines.scheduling.config import Schedules
from pipelines.scheduling.partitions import PartitionsConfig
from pipelines.scheduling.placeholder import fill_in
from pipelines.search.config import SearchConfig
from pipelines.watch.config import WatchConfig, watch_beside
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.label_noise import LabelNoiseConfig
from tasks.calibration.config import CalibrateConfig
from tasks.cleaning.config import OrderedConfig
from tasks.cross_validation.config import CrossValidateConfig
from tasks.data.clean import CleanConfig
from tasks.data.ingest import SourceConfig
from tasks.data.split import SplitConfig
from tasks.data.validate import ValidateConfig
from tasks.engine import DaskConfig
from tasks.errors import ConfigError
from tasks.evaluation.evaluate import EvaluateConfig
from tasks.explanation.config import ExplainConfig
from tasks.leakage.plan import LeakageConfig
from tasks.models.config import AutoConfig
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.problem import TargetConfig
from tasks.promotion.promote import PromoteConfig
from tasks.training.start import start_beside
from tasks.training.train import TrainConfig

Config = TypeVar("Config", bound=BaseModel)

# Sections that need to know what is predicted.
_TOLD_THE_TARGET: Mapping[str, type[BaseModel]] = {"split": SplitConfig, "preprocess": PreprocessConfig}


class PipelineConfig(TargetConfig):
    """Everything a run needs to know; what is predicted is said once here, for the sections `split` and `preprocess`.

    Attributes:
        name: The pipeline's name; its runs stand under `runs/<name>/`.
        model: The model's name in the store and in the endpoint's path.
        contract: The contract's file, relative to the config's folder.
        source: Where the data is; a relative path is relative to the config's folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    model: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    contract: str
    source: SourceConfig
    validation: ValidateConfig = Field(default=ValidateConfig(), alias="validate")
    clean: CleanConfig = CleanConfig()
    order: OrderedConfig | None = None
    split: SplitConfig = SplitConfig()
    leakage: LeakageConfig = LeakageConfig()
    preprocess: PreprocessConfig
    label_noise: LabelNoiseConfig = LabelNoiseConfig()
    augment: AugmentConfig = AugmentConfig()
    train: TrainConfig = TrainConfig()
    cross_validate: CrossValidateConfig | None = None
    calibrate: CalibrateConfig = CalibrateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    explain: ExplainConfig | None = ExplainConfig()
    search: SearchConfig | None = None
    promote: PromoteConfig = PromoteConfig()
    dask: DaskConfig = DaskConfig()
    schedule: Schedules = ()
    partitions: PartitionsConfig | None = None
    watch: WatchConfig | None = None
    notify: tuple[NotifyConfig, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _say_target_once(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        filled = {}
        for name, model in _TOLD_THE_TARGET.items():
            said = {key: value[key] for key in TargetConfig.model_fields if key in value and key in model.model_fields}
            if isinstance(section := value.get(name, {}), dict):
                filled[name] = {**section, **said}
        return {**value, **filled}


def load_config(path: Path, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Read the config of a pipeline of tables; see `load_pipeline`.

    Raises:
        ConfigError: The file cannot be read or holds something wrong, or the pipeline is of images.
    """
    config = load_pipeline(path, overrides)
    if isinstance(config, ImagePipelineConfig):
        raise ConfigError(f"{path}: a pipeline of images, where one of tables is needed\n  do: give another config")
    return config


def load_pipeline(
    path: Path, overrides: Sequence[str] = (), partition: str | None = None
) -> PipelineConfig | ImagePipelineConfig:
    """Read a config, of tables or, where it has a section `images`, of images.

    Args:
        path: The YAML file.
        overrides: `key.of.section=value` with a YAML value, applied over the file.
        partition: What `{partition}` in it stands for; by default the first of its partitions, if it is cut at all.

    Raises:
        ConfigError: The file cannot be read or holds something wrong; the message has `file:line` and, for an
            unknown key, the nearest valid one.
    """
    try:
        file = read_yaml(path)
    except YamlFileError as error:
        raise ConfigError(f"{error}\n  do: give the path of a pipeline's YAML file") from error
    if file.value.get("kind") == "DataContract":
        raise ConfigError(
            f"{path}: a contract, and no pipeline's config\n"
            "  do: give the path of the config that names it, or make one with `headrace init`"
        )
    for override in overrides:
        apply_override(file.value, override)
    fill_in(file, partition)
    folder = path.absolute().parent
    if "images" in file.value:
        return _validated(file, ImagePipelineConfig, folder).beside(folder)
    _require_said_once(file)
    return _grouped_like_the_split(_beside(_validated(file, PipelineConfig, folder), folder))


def _validated(file: YamlFile, model: type[Config], folder: Path) -> Config:
    _require_finite(file, file.value, ())
    try:
        # The folder is where a user's own network is looked for.
        return model.model_validate(file.value, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError("\n".join(problems(file, error, model, _TOLD_THE_TARGET))) from error


def _grouped_like_the_split(config: PipelineConfig) -> PipelineConfig:
    """Let `auto` keep together what the split does: folds of single rows favour models that learn groups by heart."""
    model, split, preprocess = config.train.model, config.split, config.preprocess
    if not isinstance(model, AutoConfig) or model.group is not None or split.method != "group" or split.column is None:
        return config
    train = config.train.model_copy(update={"model": model.model_copy(update={"group": split.column})})
    kept = tuple(dict.fromkeys([*preprocess.keep, split.column]))
    return config.model_copy(update={"train": train, "preprocess": preprocess.model_copy(update={"keep": kept})})


def _require_finite(file: YamlFile, value: Any, place: tuple[str | int, ...]) -> None:
    """Refuse infinity and NaN: no setting means anything by them, and the resolved config is kept as JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(
            f"{file.path}:{file.line(place)}: {'.'.join(map(str, place))}: expected a finite number, got {value}\n"
            "  do: write a number, or leave the key out"
        )
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        _require_finite(file, each, (*place, key))


def _require_said_once(file: YamlFile) -> None:
    for name in _TOLD_THE_TARGET:
        section = file.value.get(name)
        for key in TargetConfig.model_fields:
            if isinstance(section, dict) and key in section and section[key] != file.value.get(key):
                raise ConfigError(
                    f"{file.path}:{file.line((name, key))}: {name}.{key}: what is predicted is said once, at the top; "
                    f"got `{section[key]}` here and `{file.value.get(key)}` there\n"
                    f"  do: leave {name}.{key} out, and write `{key}` at the top"
                )


def apply_override(value: dict[str, Any], override: str) -> None:
    """Apply `key.of.section=value` to a config as it stands in a file.

    Raises:
        ConfigError: It is not written so, its value is no YAML, or it goes into a single value.
    """
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected KEY=VALUE, such as train.max_rounds=5")
    *sections, last = key.split(".")
    for section in sections:
        if isinstance(value.get(section), str) and sections[0] == "train":
            # There a name may stand alone for the section that it chooses.
            value[section] = {"name": value[section]}
        value = value.setdefault(section, {})
        if not isinstance(value, dict):
            raise ConfigError(f"--set {override}: `{section}` holds a single value, not a section")
    try:
        value[last] = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML") from error


def _beside(config: PipelineConfig, folder: Path) -> PipelineConfig:
    source = config.source.model_copy(update={"path": place_beside(folder, config.source.path)})
    train = config.train.model_copy(update={"start_from": start_beside(config.train.start_from, folder)})
    watch = watch_beside(config.watch, folder)
    beside_it = {"contract": place_beside(folder, config.contract), "source": source, "train": train, "watch": watch}
    return config.model_copy(update=beside_it)
