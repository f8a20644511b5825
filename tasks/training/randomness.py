"""Everything random in a process: seeded, read, put back; and every sum in the same order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
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
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), generators())
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
        set_generators(before[2])


def seed_all(seed: int) -> None:
    """Seed torch, NumPy and Python."""
    torch.manual_seed(seed % (1 << 63))
    np.random.seed(seed % (1 << 32))
    random.seed(seed)


def generators() -> dict[str, Any]:
    """Return the state of every generator: tensors and plain numbers only, so that no unpickling is needed."""
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


def set_generators(state: dict[str, Any]) -> None:
    """Put every generator back into a state that `generators` has returned."""
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    numpy, python = state["numpy"], state["python"]
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, numpy["position"], numpy["has_gauss"], numpy["cached"]))
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
