from __future__ import annotations

import pytest

from tests.tasks.training.fixtures import Problem, write_problem


@pytest.fixture(scope="session")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return write_problem(tmp_path_factory.mktemp("problem"))
