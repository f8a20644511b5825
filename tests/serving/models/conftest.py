"""Fixtures of this folder's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving.models.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Three versions, the first of them the champion."""
    return House(tmp_path)
