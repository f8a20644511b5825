"""Fixtures of this room's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving.bundles import Endpoint, promote, serving


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The small model behind a real server process, shared by tests that change nothing."""
    folder = tmp_path_factory.mktemp("endpoint")
    promote(folder / "models")
    with serving(folder / "models", folder / "log") as running:
        yield running
