"""Everything random in a training process: seeded, saved, restored; and every sum in the same order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils import deterministic


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Seed every generator, fix the number of threads and ask for deterministic kernels; put all back at the end.

    Args:
        seed: For torch, NumPy and Python.
        threads: Intra-operation threads of torch. Sums of floats are split among them, so another number gives
            other last bits.
    """
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), _generators())
    filling = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    # cuBLAS reads this once, when it starts; without it deterministic matrix products are an error on a GPU.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    # Nothing here reads memory before it is written, and to fill all of it first takes 6 % of a small network's time.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    seed_all(seed)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        deterministic.fill_uninitialized_memory = filling  # type: ignore[attr-defined]
        _set_generators(before[2])


def seed_all(seed: int) -> None:
    """Seed torch, NumPy and Python."""
    torch.manual_seed(seed % (1 << 63))
    np.random.seed(seed % (1 << 32))
    random.seed(seed)


class RandomState(pl.Callback):
    """Saves the state of every generator with a checkpoint, as tensors, and restores it where training goes on."""

    def __init__(self) -> None:
        self._restored: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the generators' states: tensors and plain numbers only, so that no unpickling is needed."""
        return _generators()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states until the first step: setting up may draw numbers too."""
        self._restored = state_dict

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Continue with the numbers that would have come next."""
        if self._restored is not None:
            _set_generators(self._restored)


def _generators() -> dict[str, Any]:
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    assert name == "MT19937"
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": {
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "position": int(position),
            "has_gauss": int(has_gauss),
            "cached": float(cached),
        },
        "python": {"version": version, "words": torch.tensor(words, dtype=torch.int64), "gauss": gauss},
    }


def _set_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    numpy, python = state["numpy"], state["python"]
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, numpy["position"], numpy["has_gauss"], numpy["cached"]))
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
