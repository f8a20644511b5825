from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.tasks.evaluation.small_models import SmallModel, small_model


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SmallModel]:
    """Return a problem's model, written once."""

    @cache
    def of(problem: str) -> SmallModel:
        return small_model(tmp_path_factory.mktemp(problem), problem)

    return of
