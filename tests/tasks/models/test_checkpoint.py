from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.errors import IntegrityError
from tasks.models.checkpoint import (
    DESCRIPTION,
    HISTORY,
    WEIGHTS,
    ModelDescription,
    load_predictor,
    read_description,
    read_history,
    write_checkpoint,
)
from tasks.models.mlp import MlpConfig
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec
from tasks.references import CheckpointRef
from tests.tasks.training.fixtures import constants

SPEC = FeatureSpec.of(constants())


@pytest.fixture
def written(tmp_path: Path) -> tuple[CheckpointRef, torch.nn.Module]:
    config = MlpConfig(hidden=(4,))
    network = build_network(config, SPEC)
    description = ModelDescription(model=config, features=SPEC, target=constants().target, best_round=1, training="t")
    return write_checkpoint(tmp_path, description, network.state_dict(), [{"round": 1, "log_loss": 0.5}]), network


def test_a_network_comes_back_as_it_was(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    ref, network = written
    loaded = load_predictor(ref)
    numeric, categorical = torch.randn(5, 3), torch.randint(0, 5, (5, 1))
    expected = network.eval()(numeric, categorical).double().detach().numpy()
    np.testing.assert_array_equal(loaded.scores(numeric.numpy(), categorical.numpy()), expected)
    assert read_description(ref).target == constants().target
    assert read_history(ref) == [{"round": 1, "log_loss": 0.5}]


def test_loading_leaves_the_random_state_alone(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    state = torch.get_rng_state()
    load_predictor(written[0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("name", "read"), [(WEIGHTS, load_predictor), (DESCRIPTION, load_predictor), (HISTORY, read_history)]
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


@pytest.mark.parametrize("model", [{"name": "auto"}, {"name": "blend", "members": ["mlp", "linear"]}])
def test_a_choice_that_was_never_made_is_no_model(
    written: tuple[CheckpointRef, torch.nn.Module], model: dict[str, Any]
) -> None:
    _change_model(written[0], model)
    with pytest.raises(IntegrityError, match=DESCRIPTION):
        load_predictor(written[0])


def test_reading_a_description_runs_no_code_of_the_user(
    written: tuple[CheckpointRef, torch.nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hostile_package"
    package.mkdir()
    (package / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    (package / "networks.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    _change_model(written[0], {"name": "module", "path": "hostile_package.networks:Mine"})
    with pytest.raises(IntegrityError, match=DESCRIPTION):
        read_description(written[0])
    assert not (tmp_path / "ran").exists()


def _change_model(ref: CheckpointRef, model: dict[str, Any]) -> None:
    path = Path(ref.path) / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), "model": model}))


def test_weights_of_another_network_are_refused(written: tuple[CheckpointRef, torch.nn.Module]) -> None:
    path = Path(written[0].path) / DESCRIPTION
    path.write_text(path.read_text().replace('"mlp"', '"mlp-ple"'))
    with pytest.raises(IntegrityError, match=WEIGHTS):
        load_predictor(written[0])
