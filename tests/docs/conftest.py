from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.docs.page_shell import PageShell
from tests.docs.scene import Shared, lay


@pytest.fixture(autouse=True)
def same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a config puts its folder on Python's path, where the modules of one test must not be another's."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def page_folder(tmp_path: Path, shared: Shared) -> Path:
    """A page's own folder, as a fresh clone."""
    folder = tmp_path / "page"
    folder.mkdir()
    lay(folder, shared)
    return folder


@pytest.fixture
def page_shell(page_folder: Path) -> PageShell:
    return PageShell(page_folder)
