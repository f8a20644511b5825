"""Transfer: a network that starts from the weights of another training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from data_contracts.yaml_lines import nearest
from tasks.errors import ConfigError, IntegrityError
from tasks.models.checkpoint import WEIGHTS, ModelDescription, read_description
from tasks.models.registry import NetworkConfig, build_network
from tasks.models.spec import FeatureSpec, ImageSpec
from tasks.preprocessing.targets import Target
from tasks.storage import digest_folder
from tasks.training.start import StartConfig

# What a normalisation keeps of its inputs was learned too; other buffers are made of the data at hand.
_LEARNED = ("running_mean", "running_var", "num_batches_tracked")
_FITTED = frozenset({"center", "spread"})
_MOST_NAMED = 5


def take_weights(network: nn.Module, start: StartConfig, new: ModelDescription) -> dict[str, float]:
    """Give a fresh network the weights of a checkpoint, and freeze what shall stay.

    Args:
        network: Changed in place.
        start: Where from, and what of it; `tasks.training.start.located` has completed it.
        new: What is about to be trained.

    Returns:
        By what the learning rate of each parameter is multiplied, where that is not 1.

    Raises:
        ConfigError: The checkpoint is of another model, of other features, or of another target; a parameter has
            another shape; a pattern fits no parameter; or nothing is left to train.
        IntegrityError: The checkpoint cannot be read, or is no longer the one that the run began with.
    """
    old, weights = _read(start)
    _require_same_model(old, new, start)
    names = [name for name, _ in network.named_parameters()]
    fresh = set(_matching("fresh", start.fresh, names))
    if start.new_head:
        fresh |= _resized(network, new, _more_outputs(new))
    _require_same_words(network, old, new, fresh)
    _copy(network, weights, fresh)
    frozen = set(_matching("freeze", start.freeze, names))
    learned = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    _require_learning(learned, fresh, frozen)
    for name in frozen:
        network.get_parameter(name).requires_grad = False
    factors = dict.fromkeys(names, 1.0)
    for pattern, factor in start.learning_rates.items():
        for name in _matching("learning_rates", (pattern,), names):
            factors[name] *= factor
    return {name: factor for name, factor in factors.items() if factor != 1.0}


def _read(start: StartConfig) -> tuple[ModelDescription, dict[str, torch.Tensor]]:
    source = start.source
    if digest_folder(source.folder) != source.digest:
        raise IntegrityError(
            f"{source.path}: the checkpoint has changed since the run began\n  do: run the pipeline again"
        )
    description = read_description(source)
    path = source.folder / WEIGHTS
    if not path.exists():
        raise ConfigError(
            f"train.start_from: {source.path} is a `{description.model.name}`, and only a network's weights can be "
            "started from\n  do: name the checkpoint of a network"
        )
    try:
        return description, load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise IntegrityError(f"{path}: not a whole checkpoint ({error})\n  do: name another") from error


def _require_same_model(old: ModelDescription, new: ModelDescription, start: StartConfig) -> None:
    differences = [
        *_differences("train.model", _settings(old.model), _settings(new.model)),
        *_differences("the features:", _features(old.features), _features(new.features)),
    ]
    if differences:
        raise _refused(start, differences, "write the same model and features as the checkpoint has, or name another")
    targets = [*_differences("the target's", _meaning(old.target), _meaning(new.target))]
    if targets and not start.new_head:
        raise _refused(start, targets, "write `new_head: true`, so that the last layer starts anew")


def _refused(start: StartConfig, differences: Sequence[str], do: str) -> ConfigError:
    said = "\n".join(f"    {each}" for each in differences[:_MOST_NAMED])
    return ConfigError(f"train.start_from: {start.checkpoint} is of another model\n{said}\n  do: {do}")


def _differences(subject: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*there, *here}):
        if there.get(key) != here.get(key):
            yield f"{subject} {key}: {there.get(key)} there, {here.get(key)} here"


def _settings(model: Any) -> dict[str, Any]:
    """Return what decides the meaning of weights; what is dropped in training does not."""
    return {key: value for key, value in model.model_dump(mode="json").items() if "dropout" not in key}


def _features(spec: FeatureSpec | ImageSpec) -> dict[str, Any]:
    if isinstance(spec, ImageSpec):
        return {"height": spec.height, "width": spec.width, "channels": spec.channels}
    return {"numeric": [each.name for each in spec.numeric], "categorical": [each.name for each in spec.categorical]}


def _meaning(target: Target) -> dict[str, Any]:
    return target.model_dump(mode="json", exclude=set(_FITTED))


def _require_same_words(network: nn.Module, old: ModelDescription, new: ModelDescription, fresh: set[str]) -> None:
    """Check that a row of an embedding stands for the word that it stood for."""
    if isinstance(new.features, ImageSpec):
        return
    for place, feature in enumerate(new.features.categorical):
        if old.vocabularies.get(feature.name) == new.vocabularies.get(feature.name):
            continue
        tables = _resized(network, new, _more_words(new.features, place)) - fresh
        if tables:
            raise ConfigError(
                f"train.start_from: the words of the category `{feature.name}` are not those of the checkpoint, so "
                f"{', '.join(sorted(tables))} would give them the meaning of others\n"
                f"  do: write `fresh: [{', '.join(sorted(tables))}]`, so that they are learned anew"
            )


def _more_outputs(new: ModelDescription) -> FeatureSpec | ImageSpec:
    return new.features.model_copy(update={"outputs": new.features.outputs + 1})


def _more_words(spec: FeatureSpec, place: int) -> FeatureSpec:
    features = list(spec.categorical)
    features[place] = features[place].model_copy(update={"cardinality": features[place].cardinality + 1})
    return spec.model_copy(update={"categorical": tuple(features)})


def _resized(network: nn.Module, new: ModelDescription, spec: FeatureSpec | ImageSpec) -> set[str]:
    """Return the parameters that would have other rows for another spec: which they are, no name has to say."""
    with torch.random.fork_rng(devices=[]):
        other = dict(build_network(cast("NetworkConfig", new.model), spec).named_parameters())
    outputs = spec.outputs != new.features.outputs
    return {
        name
        for name, each in network.named_parameters()
        if (each.shape != other[name].shape if outputs else len(each) != len(other[name]))
    }


def _copy(network: nn.Module, weights: Mapping[str, torch.Tensor], fresh: set[str]) -> None:
    parameters = {name for name, _ in network.named_parameters()}
    state = network.state_dict()
    taken = [name for name in state if (name in parameters or name.endswith(_LEARNED)) and name not in fresh]
    missing = [name for name in taken if name not in weights]
    odd = [name for name in taken if name in weights and weights[name].shape != state[name].shape]
    if missing or odd:
        shapes = [f"{name}: {list(weights[name].shape)} there, {list(state[name].shape)} here" for name in odd]
        said = "\n".join(
            f"    {each}" for each in [*shapes, *(f"{name}: absent there" for name in missing)][:_MOST_NAMED]
        )
        raise ConfigError(
            f"train.start_from: {len(odd) + len(missing)} parameters do not fit the checkpoint's\n{said}\n"
            f"  do: write `fresh: [{', '.join([*odd, *missing][:_MOST_NAMED])}]` so that they start anew, or "
            "`new_head: true` for those of the last layer"
        )
    with torch.no_grad():
        for name in taken:
            state[name].copy_(weights[name])


def _require_learning(names: Sequence[str], fresh: set[str], frozen: set[str]) -> None:
    if fresh >= set(names):
        raise ConfigError(
            "train.start_from: every parameter would start anew\n  do: remove start_from, or keep some by `fresh`"
        )
    if both := sorted(fresh & frozen):
        raise ConfigError(
            f"train.start_from.freeze: {', '.join(both[:_MOST_NAMED])} would start anew and never be trained\n"
            "  do: freeze only what is taken from the checkpoint"
        )
    if frozen >= set(names):
        raise ConfigError("train.start_from.freeze: nothing is left to train\n  do: freeze fewer parameters")


def _matching(key: str, patterns: Iterable[str], names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]
        if not fitting:
            near = nearest(pattern, names)
            raise ConfigError(
                f"train.start_from.{key}: `{pattern}` fits no parameter\n  do: "
                + (f"did you mean `{near}`? " if near else "")
                + f"The network has {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
            )
        found += fitting
    return found
