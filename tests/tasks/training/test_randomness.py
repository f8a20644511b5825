from __future__ import annotations

import io
import random

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer

from tasks.training.random_state import RandomState
from tasks.training.randomness import reproducible


def _draw() -> tuple[float, float, float, float]:
    return torch.rand(1).item(), np.random.rand(), random.random(), random.gauss(0, 1)


def test_states_go_through_a_file_of_tensors_and_continue() -> None:
    with reproducible(3, threads=1):
        random.gauss(0, 1)
        np.random.randn()
        file = io.BytesIO()
        torch.save(RandomState().state_dict(), file)
        expected = [_draw() for _ in range(3)]
        file.seek(0)
        restored = RandomState()
        restored.load_state_dict(torch.load(file, weights_only=True))
        _draw()
        restored.on_train_start(Trainer(logger=False), LightningModule())
        assert [_draw() for _ in range(3)] == expected


def test_settings_and_generators_are_put_back() -> None:
    torch.manual_seed(11)
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    filling = torch.utils.deterministic.fill_uninitialized_memory
    with reproducible(5, threads=before[0] + 1):
        assert torch.get_num_threads() == before[0] + 1
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
        first = _draw()
    assert torch.utils.deterministic.fill_uninitialized_memory == filling
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])
    with reproducible(5, threads=1):
        assert _draw() == first
