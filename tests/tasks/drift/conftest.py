"""Fixtures of this room's tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from serving.bundle.store import ModelStore
from tests.tasks.drift.watched import BEGIN, documents, flights, promote_described, sample


class Watched(NamedTuple):
    """A store with the small model's bundle, samples without drift, and samples whose second half has it."""

    bundle: Path
    calm: Path
    shifted: Path


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Everything is written once; tests change nothing of it."""
    home = tmp_path_factory.mktemp("drift")
    version = promote_described(home / "models", documents())
    sample(home / "calm", flights(2000, 10))
    sample(home / "shifted", flights(1000, 11))
    sample(home / "shifted", flights(1000, 12, further=0.5), begin=BEGIN + 3600)
    return Watched(ModelStore(home / "models").bundle_path("small", version), home / "calm", home / "shifted")
