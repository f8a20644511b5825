"""The trained network on disk: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from tasks.errors import IntegrityError
from tasks.references import CheckpointRef
from tasks.storage import DigestName, new_folder, write_atomic, write_json
from tasks.training.models.registry import NetworkConfig, build_network
from tasks.training.models.spec import FeatureSpec, TabularNetwork

WEIGHTS, DESCRIPTION, HISTORY = "network.safetensors", "network.json", "history.json"


class NetworkDescription(BaseModel):
    """What `network.json` says.

    Attributes:
        network: The network's config.
        features: What it reads.
        classes: What each logit stands for.
        best_round: The round whose weights these are, from 1.
        training: Digest of the whole training config.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: NetworkConfig
    features: FeatureSpec
    classes: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...]
    best_round: int
    training: str


def write_checkpoint(
    home: Path,
    description: NetworkDescription,
    weights: Mapping[str, torch.Tensor],
    history: Sequence[Mapping[str, float]],
) -> CheckpointRef:
    """Write a content-addressed checkpoint folder under `home/checkpoints`."""
    parent = home / "checkpoints"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_atomic(folder / WEIGHTS, save({name: value.contiguous() for name, value in weights.items()}))
        write_json(folder / DESCRIPTION, description.model_dump(mode="json"))
        write_json(folder / HISTORY, {"best_round": description.best_round, "rounds": list(history)})
    return CheckpointRef(path=str(parent / named.digest), digest=named.digest)


def read_description(ref: CheckpointRef) -> NetworkDescription:
    """Read what a checkpoint says of its network.

    Raises:
        IntegrityError: The file is missing or is not what training writes.
    """
    path = ref.folder / DESCRIPTION
    try:
        return NetworkDescription.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise _broken(path, error) from error


def read_history(ref: CheckpointRef) -> list[dict[str, float]]:
    """Read a checkpoint's history: one record for each round; see `tasks.training.selection.Selection.history`.

    Raises:
        IntegrityError: The file is missing or is not JSON.
    """
    path = ref.folder / HISTORY
    try:
        rounds: list[dict[str, float]] = json.loads(path.read_bytes())["rounds"]
    except (OSError, ValueError, KeyError) as error:
        raise _broken(path, error) from error
    return rounds


def load_network(ref: CheckpointRef) -> TabularNetwork:
    """Load a trained network, on the CPU and in evaluation mode.

    Raises:
        IntegrityError: A file is missing, torn, or does not fit the others.
    """
    description = read_description(ref)
    path = ref.folder / WEIGHTS
    with torch.random.fork_rng(devices=[]):
        network = build_network(description.network, description.features)
    try:
        network.load_state_dict(load(path.read_bytes()))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise _broken(path, error) from error
    return network.eval()


def _broken(path: Path, error: Exception) -> IntegrityError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return IntegrityError(f"{path}: not a whole checkpoint ({first})\n  do: run the pipeline again; it trains anew")
