from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.errors import IntegrityError
from tasks.references import CheckpointRef
from tasks.training.checkpoint import (
    DESCRIPTION,
    HISTORY,
    WEIGHTS,
    NetworkDescription,
    load_network,
    read_description,
    read_history,
    write_checkpoint,
)
from tasks.training.models.mlp import MlpConfig
from tasks.training.models.registry import build_network
from tasks.training.models.spec import FeatureSpec
from tests.tasks.training.fixtures import constants

SPEC = FeatureSpec.of(constants())


@pytest.fixture
def written(tmp_path: Path) -> tuple[CheckpointRef, torch.nn.Module]:
    config = MlpConfig(hidden=(4,))
    network = build_network(config, SPEC)
    description = NetworkDescription(network=config, features=SPEC, classes=(False, True), best_round=1, training="t")
    return write_checkpoint(tmp_path, description, network.state_dict(), [{"round": 1, "log_loss": 0.5}]), network


def test_a_network_comes_back_as_it_was(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    ref, network = written
    loaded = load_network(ref)
    numeric, categorical = torch.randn(5, 3), torch.randint(0, 5, (5, 1))
    assert not loaded.training
    assert torch.equal(loaded(numeric, categorical), network.eval()(numeric, categorical))
    assert read_description(ref).classes == (False, True)
    assert read_history(ref) == [{"round": 1, "log_loss": 0.5}]


def test_loading_leaves_the_random_state_alone(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    state = torch.get_rng_state()
    load_network(written[0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("name", "read"), [(WEIGHTS, load_network), (DESCRIPTION, load_network), (HISTORY, read_history)]
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_broken_file_is_named(
    written: tuple[CheckpointRef, torch.nn.Module], name: str, read: Callable[[CheckpointRef], Any], damage: str
) -> None:
    path = Path(written[0].path) / name
    content = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(IntegrityError, match=name):
        read(written[0])


def test_weights_of_another_network_are_refused(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    path = Path(written[0].path) / DESCRIPTION
    path.write_text(path.read_text().replace('"mlp"', '"mlp-ple"'))
    with pytest.raises(IntegrityError, match=WEIGHTS):
        load_network(written[0])
