"""Contracts for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from data_contracts.contract import Contract
from data_contracts.loader import load_contract

HERE = Path(__file__).parent
HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: small
version: 1.0.0
status: draft
schema:
  - name: small
"""


@pytest.fixture(scope="session")
def orders() -> Contract:
    """A contract with every feature."""
    return load_contract(HERE / "everything.odcs.yaml")


@pytest.fixture
def write_contract(tmp_path: Path) -> Callable[..., Path]:
    """Write a contract of one table from the text of its properties (at line 9) and table-level quality."""

    def write(properties: str, quality: str = "") -> Path:
        path = tmp_path / "small.odcs.yaml"
        text = HEAD + "    properties:\n" + indent(properties.strip("\n"), "      ") + "\n"
        if quality:
            text += "    quality:\n" + indent(quality.strip("\n"), "      ") + "\n"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_contract(write_contract: Callable[..., Path]) -> Callable[..., Contract]:
    """Load what `write_contract` writes."""
    return lambda properties, quality="": load_contract(write_contract(properties, quality))
