"""Which model is trained: the section `train.model` in all its kinds."""

from __future__ import annotations

import difflib
from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

from tasks.errors import ConfigError
from tasks.models.images.registry import ImageNetworkConfig, image_network_names
from tasks.models.registry import NetworkConfig, network_names
from tasks.models.trees import TreesConfig

_TREES, _BLEND, _AUTO = "trees", "blend", "auto"


def model_names() -> tuple[str, ...]:
    """Return every name that `train.model` may have."""
    return (*network_names(), _TREES, _BLEND, _AUTO, *image_network_names())


def _known(value: object, *, place: str, combined: bool) -> object:
    names = model_names() if combined else (*network_names(), _TREES)
    if isinstance(value, str):
        value = {"name": value}
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", value)
    if name in names:
        return value
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    raise ConfigError(
        f"{place}: expected one of {', '.join(names)}, got {name!r}\n  do: "
        + (f"write `name: {near[0]}`" if near else "write one of them")
    )


MemberConfig = Annotated[
    Annotated[NetworkConfig | TreesConfig, Field(discriminator="name")],
    BeforeValidator(partial(_known, place="train.model: a member", combined=False)),
]


class BlendConfig(BaseModel):
    """`model: {name: blend, members: [trees, mlp-ple]}`: the weighted mean of what several models say.

    Of probabilities for classes and labels, of values for numbers.

    Attributes:
        members: The models; each is trained as if it were alone.
        weights: One for each member, in any unit; or `auto`: those with the least loss of the mean on the validation
            split (log loss for classes and labels, squared error for a number, pinball loss for quantiles).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["blend"] = "blend"
    members: tuple[MemberConfig, ...] = Field(min_length=1)
    weights: Literal["auto"] | tuple[NonNegativeFloat, ...] = "auto"

    @model_validator(mode="after")
    def _weigh_every_member(self) -> BlendConfig:
        if self.weights == "auto":
            return self
        if len(self.weights) != len(self.members) or sum(self.weights) <= 0:
            raise ValueError(
                f"expected a weight for each of the {len(self.members)} members, not all of them 0, got "
                f"{list(self.weights)}\n  do: write one weight for each member, or `weights: auto`"
            )
        return self


class AutoConfig(BaseModel):
    """`model: {name: auto, ...}`: several candidates under cross-validation, then the best or a blend of the best.

    Attributes:
        cpu_minutes: CPU minutes that all of it may take, the last fit included.
        folds: Parts of the training split, each of which is predicted by models that did not see it.
        candidates: What is tried, in this order; by default a list that fits the number of rows.
        group: A column of the features dataset (`preprocess.keep`): rows that share its value stay in one fold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["auto"] = "auto"
    cpu_minutes: PositiveFloat = 10.0
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    candidates: tuple[MemberConfig, ...] = ()
    group: str | None = None


ModelConfig = Annotated[
    Annotated[NetworkConfig | TreesConfig | BlendConfig | AutoConfig | ImageNetworkConfig, Field(discriminator="name")],
    BeforeValidator(partial(_known, place="train.model", combined=True)),
]


def each_model(config: ModelConfig) -> tuple[ModelConfig, ...]:
    """Return the models that are trained: a blend's members, the candidates that `auto` is told, or this one."""
    if isinstance(config, BlendConfig):
        return config.members
    return config.candidates if isinstance(config, AutoConfig) else (config,)


def require_readable(config: ModelConfig, *, images: bool) -> None:
    """Check that a model reads what there is to read.

    Args:
        config: The model's.
        images: Whether images are learned from; else a table.

    Raises:
        ConfigError: A model of tables is to learn from images, or the other way round.
    """
    fitting = image_network_names()
    if (config.name in fitting) == images:
        return
    if not images:
        fitting = tuple(name for name in model_names() if name not in fitting)
    reads, given = ("tables", "images") if images else ("images", "a table")
    raise ConfigError(
        f"train.model: `{config.name}` reads {reads}, and this pipeline has {given}\n"
        f"  do: write one of {', '.join(fitting)}"
    )
