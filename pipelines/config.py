"""A pipeline's config: one YAML file with a section for each task function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data_contracts.yaml_lines import YamlFile, YamlFileError, nearest, read_yaml
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.label_noise import LabelNoiseConfig
from tasks.cleaning.config import OrderedConfig
from tasks.data.clean import CleanConfig
from tasks.data.ingest import SourceConfig
from tasks.data.split import SplitConfig
from tasks.data.validate import ValidateConfig
from tasks.engine import DaskConfig
from tasks.errors import ConfigError
from tasks.evaluation.evaluate import EvaluateConfig
from tasks.leakage.plan import LeakageConfig
from tasks.preprocessing.config import PreprocessConfig
from tasks.promotion.promote import PromoteConfig
from tasks.storage import beside
from tasks.training.train import TrainConfig


class PipelineConfig(BaseModel):
    """Everything a run needs to know.

    Attributes:
        name: The pipeline's name; its runs stand under `runs/<name>/`.
        model: The model's name in the store and in the endpoint's path.
        contract: The contract's file, relative to the config's folder.
        source: Where the data is; a relative path is relative to the config's folder.
        target: The column to predict; said once here for the sections `split` and `preprocess`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    model: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    contract: str
    source: SourceConfig
    target: str
    validation: ValidateConfig = Field(default=ValidateConfig(), alias="validate")
    clean: CleanConfig = CleanConfig()
    order: OrderedConfig | None = None
    split: SplitConfig = SplitConfig()
    leakage: LeakageConfig = LeakageConfig()
    preprocess: PreprocessConfig
    label_noise: LabelNoiseConfig = LabelNoiseConfig()
    augment: AugmentConfig = AugmentConfig()
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    promote: PromoteConfig = PromoteConfig()
    dask: DaskConfig = DaskConfig()

    @model_validator(mode="before")
    @classmethod
    def _say_target_once(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("target"), str):
            return value
        sections = {name: value.get(name, {}) for name in ("split", "preprocess")}
        filled = {
            name: {**section, "target": value["target"]}
            for name, section in sections.items()
            if isinstance(section, dict)
        }
        return {**value, **filled}


def load_config(path: Path, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Read a config.

    Args:
        path: The YAML file.
        overrides: `key.of.section=value` with a YAML value, applied over the file.

    Raises:
        ConfigError: The file cannot be read or holds something wrong; the message has `file:line` and, for an
            unknown key, the nearest valid one.
    """
    try:
        file = read_yaml(path)
    except YamlFileError as error:
        raise ConfigError(f"{error}\n  do: give the path of a pipeline's YAML file") from error
    for override in overrides:
        _apply(file.value, override)
    try:
        config = PipelineConfig.model_validate(file.value)
    except ValidationError as error:
        raise ConfigError("\n".join(_problems(file, error))) from error
    return _beside(config, path.absolute().parent)


def _apply(value: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected KEY=VALUE, such as train.max_rounds=5")
    *sections, last = key.split(".")
    for section in sections:
        value = value.setdefault(section, {})
        if not isinstance(value, dict):
            raise ConfigError(f"--set {override}: `{section}` holds a single value, not a section")
    try:
        value[last] = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML") from error


def _beside(config: PipelineConfig, folder: Path) -> PipelineConfig:
    source = config.source.model_copy(update={"path": str(beside(folder, config.source.path))})
    return config.model_copy(update={"contract": str(folder / config.contract), "source": source})


def _problems(file: YamlFile, error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        place = _place(problem["loc"], file.value)
        where = f"{file.path}:{file.line(place)}: {'.'.join(map(str, place))}"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(PipelineConfig, place[:-1])
            close = nearest(str(place[-1]), known)
            hint = f"did you mean `{close}`?" if close else f"known keys: {', '.join(known)}"
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is required and missing"
        else:
            yield f"{where}: {_said(problem)}"


def _said(problem: ErrorDetails) -> str:
    """Return a problem's message; our own validators say themselves what they got."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {problem['input']!r}"


def _place(location: Sequence[str | int], value: Any) -> tuple[str | int, ...]:
    """Return an error's location without the names of union branches, which the file does not have."""
    place: list[str | int] = []
    for position, part in enumerate(location):
        if isinstance(value, dict) and part not in value and position < len(location) - 1:
            continue
        place.append(part)
        inside = isinstance(value, dict) and part in value
        listed = isinstance(value, list) and isinstance(part, int) and part < len(value)
        value = value[part] if inside or listed else None
    return tuple(place)


def _known_keys(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """List the keys valid at a place, by walking the models' fields."""
    models = [model]
    for part in place:
        fields = [found for each in models for found in each.model_fields.items() if part in (found[0], found[1].alias)]
        # A part that is no field is a name that the user gave, such as a column's: its model is known already.
        if fields:
            models = [inner for _, field in fields for inner in _models_in(field.annotation)]
    return sorted({field.alias or name for each in models for name, field in each.model_fields.items()})


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
