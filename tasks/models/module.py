"""A network of the user's own: `model: {name: module, path: "package.module:Class"}`; see docs/own-network.md."""

from __future__ import annotations

import copy
import re
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, model_validator
from torch import nn

from tasks.errors import ConfigError
from tasks.models.own_code import failure, make_importable, own_class, source_digest
from tasks.models.spec import FeatureSpec, TabularNetwork

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_TRIAL_ROWS = 3


class ModuleConfig(BaseModel):
    """`model: {name: module, path: "package.module:Class", settings: {...}}`.

    The module is looked for as Python does, and then in the folder of the config, which `pipelines.config.load_config`
    gives as `folder` in the validation's context.

    Attributes:
        path: The class, which is called with the `FeatureSpec` and the settings.
        settings: Passed by name.
        digest: SHA-256 of the module's file. Left out, it is that of the file found. It is part of the config so that
            other code is another model: nothing of the old one is used again, and a checkpoint knows its code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["module"] = "module"
    path: str
    settings: dict[str, JsonValue] = {}
    digest: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="before")
    @classmethod
    def _pin(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("path"), str):
            return value
        if not _PATH.fullmatch(value["path"]):
            raise ConfigError(
                f"train.model.path: expected `package.module:Class`, got {value['path']!r}\n"
                "  do: write the module as in an import, a colon, and the name of the class"
            )
        if info.context and "folder" in info.context:
            make_importable(info.context["folder"])
        # What is read from a checkpoint must name its code: to look for it is to run the packages around it.
        if value.get("digest") is not None or (info.context or {}).get("stored"):
            return value
        return {**value, "digest": source_digest(value["path"])}


class OwnNetwork(TabularNetwork):
    """Somebody's module as a network of ours."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch; see `TabularNetwork.forward`."""
        scores: torch.Tensor = self.module(numeric, categorical)
        return scores


def require_module(config: ModuleConfig) -> None:
    """Check what can be known before there are features, by importing the class.

    Raises:
        ConfigError: The module cannot be imported, or holds no class that can be called with these settings.
        IntegrityError: The module's file is not the one that the config's digest names.
    """
    own_class(config.path, config.digest, config.settings)


def build_module(config: ModuleConfig, spec: FeatureSpec) -> TabularNetwork:
    """Build the user's network and try whether training, saving and exporting it can work.

    Raises:
        ConfigError: See `require_module`; or the network cannot be built, or does not meet its contract.
        IntegrityError: The module's file is not the one that the config's digest names.
    """
    built = own_class(config.path, config.digest, config.settings)
    try:
        module = built(spec, **config.settings)
    except Exception as error:
        raise failure(f"{config.path} cannot be built for {_shape(spec)}", error, built) from error
    network = module if isinstance(module, TabularNetwork) else OwnNetwork(module)
    training = network.training
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        # A copy, for training changes what a normalisation remembers.
        _require_scores(copy.deepcopy(network).train(), spec, (_TRIAL_ROWS,), config.path, built)
        # One row alone is what a request often holds, and where a stray `squeeze` shows.
        _require_scores(network.eval(), spec, (_TRIAL_ROWS, 1), config.path, built)
        _require_exportable(network, spec, config.path, built)
        _require_function(network, spec, config.path, built)
    _require_storable(network, config.path)
    return network.train(training)


def _shape(spec: FeatureSpec) -> str:
    return f"{len(spec.numeric)} numbers, {len(spec.categorical)} categories and {spec.outputs} outputs"


def _zeros(spec: FeatureSpec, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.zeros(rows, len(spec.numeric)), torch.zeros(rows, len(spec.categorical), dtype=torch.int64)


def _some(spec: FeatureSpec, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    codes = [torch.randint(each.cardinality, (rows,)) for each in spec.categorical]
    return torch.randn(rows, len(spec.numeric)), torch.stack(codes, 1) if codes else _zeros(spec, rows)[1]


def _require_scores(network: TabularNetwork, spec: FeatureSpec, sizes: tuple[int, ...], path: str, built: type) -> None:
    for rows in sizes:
        try:
            scores: object = network(*_zeros(spec, rows))
        except Exception as error:
            raise failure(f"{path} fails on {rows} rows of zeros with {_shape(spec)}", error, built) from error
        expected = f"a float32 tensor of shape [{rows}, {spec.outputs}]"
        if not isinstance(scores, torch.Tensor):
            found = f"a {type(scores).__name__}"
        elif scores.shape != (rows, spec.outputs) or scores.dtype != torch.float32:
            found = f"{str(scores.dtype).removeprefix('torch.')} of shape {list(scores.shape)}"
        else:
            continue
        raise ConfigError(
            f"train.model: {path}: forward of {rows} rows with {_shape(spec)} must return {expected}, got {found}\n"
            "  do: return one score for each record and each of `spec.outputs`"
        )


def _require_function(network: TabularNetwork, spec: FeatureSpec, path: str, built: type) -> None:
    """Check that a row's scores follow from that row alone, or what was measured would not hold for a request."""
    rows = _some(spec, _TRIAL_ROWS)
    given = tuple(each.clone() for each in rows)
    try:
        together = network(*given)
        alone = torch.cat(
            [network(*(each[place : place + 1].clone() for each in rows)) for place in range(_TRIAL_ROWS)]
        )
    except Exception as error:
        raise failure(f"{path} fails on {_TRIAL_ROWS} random rows with {_shape(spec)}", error, built) from error
    if not all(torch.equal(before, after) for before, after in zip(rows, given, strict=True)):
        raise ConfigError(
            f"train.model: {path}: forward changes its inputs, which others read after it\n"
            "  do: make new tensors; leave out operations that end in `_`, or copy the inputs first"
        )
    if not torch.allclose(together, alone, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise ConfigError(
            f"train.model: {path}: in evaluation mode forward must give a row the same scores alone and beside others; "
            f"got {alone[0].tolist()[:5]} and {together[0].tolist()[:5]}\n"
            "  do: leave out chance and what sums over the batch there; a batch normalisation keeps running statistics"
        )


def _require_exportable(network: TabularNetwork, spec: FeatureSpec, path: str, built: type) -> None:
    batch = torch.export.Dim("batch")
    shapes = tuple({0: batch} for _ in range(2))
    # With a module, `forward` names its inputs as it likes, so the shapes go by position.
    try:
        torch.export.export(network, _zeros(spec, _TRIAL_ROWS), dynamic_shapes=shapes, strict=False)
    except Exception as error:
        raise failure(f"{path} cannot be exported with a dynamic batch", error, built) from error


def _require_storable(network: TabularNetwork, path: str) -> None:
    """Check that the weights can be written as safetensors, which hold every tensor once."""
    names: dict[int, str] = {}
    for name, value in network.state_dict().items():
        if not isinstance(value, torch.Tensor):
            raise ConfigError(
                f"train.model: {path}: the state `{name}` is a {type(value).__name__}, and only tensors are stored\n"
                "  do: keep it as a tensor, in a buffer, or give it as a setting"
            )
        first = names.setdefault(value.untyped_storage().data_ptr() if value.numel() else id(value), name)
        if first != name:
            raise ConfigError(
                f"train.model: {path}: `{first}` and `{name}` share their memory, and weights are stored once each\n"
                "  do: keep one of them as the parameter and use it in both places"
            )
