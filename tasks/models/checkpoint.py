"""Trained models on disk: weights as safetensors, everything else as JSON; a blend holds its members' folders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from tasks.errors import IntegrityError
from tasks.models.blend import BlendPredictor
from tasks.models.config import AutoConfig, BlendConfig, ModelConfig
from tasks.models.images.predictor import ImagePredictor
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec, ImageNetwork, ImageSpec, Network
from tasks.models.tree_arrays import read_trees
from tasks.models.trees import TREES, TreesConfig, TreesPredictor
from tasks.preprocessing.targets import Target
from tasks.references import CheckpointRef
from tasks.storage import DigestName, files_below, new_folder, write_atomic

WEIGHTS, DESCRIPTION, HISTORY = "network.safetensors", "model.json", "history.json"


class ModelDescription(BaseModel):
    """What `model.json` says.

    Attributes:
        model: The model's config; of a blend with the weights it has, and only the members that have one.
        features: What it reads.
        target: What its scores stand for.
        best_round: The record of the history, from 1, whose state is kept; of several boosters the latest.
        training: Digest of the whole training config.
        vocabularies: Digest of the words of each category, in the order of their codes; only of networks, whose
            weights another training may start from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelConfig
    features: FeatureSpec | ImageSpec
    target: Target
    best_round: int
    training: str
    vocabularies: Mapping[str, str] = {}


def write_checkpoint(
    home: Path,
    description: ModelDescription,
    weights: Mapping[str, torch.Tensor],
    history: Sequence[Mapping[str, float]],
) -> CheckpointRef:
    """Write a network's content-addressed checkpoint folder under `home/checkpoints`."""
    content = save({name: value.contiguous() for name, value in weights.items()})
    return write_model(home, description, {WEIGHTS: content}, history)


def write_model(
    home: Path,
    description: ModelDescription,
    files: Mapping[str, bytes],
    history: Sequence[Mapping[str, float]],
) -> CheckpointRef:
    """Write any model's content-addressed checkpoint folder under `home/checkpoints`.

    Args:
        home: Where.
        description: Becomes `model.json`.
        files: What the kind of model needs beside it, by path below the folder.
        history: One record for each look at the validation split, with `round`, from 1, `steps` and its metrics.
    """
    said = {
        DESCRIPTION: _json(description.model_dump(mode="json")),
        HISTORY: _json({"best_round": description.best_round, "rounds": list(history)}),
    }
    return write_files(home, {**files, **said})


def write_files(home: Path, files: Mapping[str, bytes]) -> CheckpointRef:
    """Write a checkpoint folder of these files, by path below it."""
    parent = home / "checkpoints"
    named = DigestName()
    with new_folder(parent, named) as folder:
        for path, content in files.items():
            write_atomic(folder / path, content)
    return CheckpointRef(path=str(parent / named.digest), digest=named.digest)


def checkpoint_files(ref: CheckpointRef) -> dict[str, bytes]:
    """Read every file of a checkpoint, by path below its folder.

    Raises:
        IntegrityError: It is gone.
    """
    files = {path.relative_to(ref.folder).as_posix(): path.read_bytes() for path in files_below(ref.folder)}
    if DESCRIPTION not in files:
        raise _broken(ref.folder / DESCRIPTION, FileNotFoundError("no such file"))
    return files


def read_description(ref: CheckpointRef) -> ModelDescription:
    """Read what a checkpoint says of its model.

    Raises:
        IntegrityError: The file is missing or is not what training writes.
    """
    return _described(ref.folder)


def _described(folder: Path) -> ModelDescription:
    path = folder / DESCRIPTION
    try:
        description = ModelDescription.model_validate_json(path.read_bytes(), context={"stored": True})
    except (OSError, ValidationError) as error:
        raise _broken(path, error) from error
    model = description.model
    if isinstance(model, AutoConfig) or (isinstance(model, BlendConfig) and model.weights == "auto"):
        raise _broken(path, ValueError(f"`{model.name}` is a choice that training makes, and this one is not made"))
    return description


def read_history(ref: CheckpointRef) -> list[dict[str, float]]:
    """Read a checkpoint's history: one record for each look at the validation split.

    See `tasks.training.selection.Selection.history`; trees and blends keep the same keys, but for the learning rate.

    Raises:
        IntegrityError: The file is missing or is not JSON.
    """
    path = ref.folder / HISTORY
    try:
        rounds: list[dict[str, float]] = json.loads(path.read_bytes())["rounds"]
    except (OSError, ValueError, KeyError) as error:
        raise _broken(path, error) from error
    return rounds


def load_predictor(ref: CheckpointRef) -> Predictor:
    """Load a trained model, on the CPU.

    Raises:
        IntegrityError: A file is missing, torn, or does not fit the others.
    """
    return _predictor(ref.folder)


def member_path(index: int) -> str:
    """Return where the folder of a blend's member stands, below the blend's own."""
    return f"members/{index}"


def _predictor(folder: Path) -> Predictor:
    description = _described(folder)
    model = description.model
    if isinstance(model, BlendConfig):
        members = [_predictor(folder / member_path(index)) for index in range(len(model.members))]
        assert model.weights != "auto"
        return BlendPredictor(members, model.weights, description.target)
    path = folder / (TREES if isinstance(model, TreesConfig) else WEIGHTS)
    # What is wrong with the code of a network of the user's own is no fault of the checkpoint.
    network = None if isinstance(model, TreesConfig) else _fresh_network(description)
    try:
        content = path.read_bytes()
        if network is None:
            return _trees(description, content)
        network.load_state_dict(load(content))
    except (OSError, ValueError, SafetensorError, RuntimeError) as error:
        raise _broken(path, error) from error
    return ImagePredictor(network) if isinstance(network, ImageNetwork) else NetworkPredictor(network)


def _fresh_network(description: ModelDescription) -> Network:
    model = description.model
    assert not isinstance(model, TreesConfig | BlendConfig | AutoConfig), model.name
    with torch.random.fork_rng(devices=[]):
        return build_network(model, description.features)


def _trees(description: ModelDescription, content: bytes) -> TreesPredictor:
    assert isinstance(description.features, FeatureSpec)
    features = len(description.features.numeric) + len(description.features.categorical)
    outputs = description.target.outputs
    return TreesPredictor(read_trees(content, features, outputs), features=features, outputs=outputs)


def _json(value: Any) -> bytes:
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def _broken(path: Path, error: Exception) -> IntegrityError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return IntegrityError(f"{path}: not a whole checkpoint ({first})\n  do: run the pipeline again; it trains anew")
