from __future__ import annotations

from pathlib import Path

import pytest

from tasks.engine import DaskConfig
from tests.tasks.augmentation.problem import Problem, make_problem
from tests.tasks.data.tables import dask

__all__ = ["dask"]


@pytest.fixture(scope="session")
def mixed(dask: DaskConfig, tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """Numbers, an indicator, a boolean and two categories."""
    return make_problem(tmp_path_factory.mktemp("mixed"), dask)


@pytest.fixture(scope="session")
def numbers(dask: DaskConfig, tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """Numbers, an indicator, a boolean and a one-hot colour."""
    return make_problem(
        tmp_path_factory.mktemp("numbers"), dask, excluded=("id", "day"), columns={"colour": {"encode": "one-hot"}}
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
