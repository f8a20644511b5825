from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.check import open_pipeline
from pipelines.checking.rows import FirstRows, look_at_rows
from pipelines.checking.source import Looked, look_at_source
from pipelines.config import PipelineConfig

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: houses
name: houses
version: 1.0.0
status: active
schema:
  - name: houses
    quality:
      - {id: many, type: library, metric: rowCount, mustBeGreaterThan: 100000}
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: rooms, logicalType: integer, logicalTypeOptions: {minimum: 1}}
      - {name: owner, logicalType: string, classification: restricted, logicalTypeOptions: {maxLength: 5}}
      - {name: sold, logicalType: boolean}
"""
CONFIG = """\
name: houses
model: houses
contract: houses.odcs.yaml
target: sold
source:
  path: houses.csv
preprocess: {exclude: [id, owner]}
"""

Rows = list[tuple[int, str, str, str]]


def good(rows: int) -> Rows:
    return [(number, str(1 + number % 6), "Ada", "true" if number % 3 else "false") for number in range(rows)]


def csv_of(rows: Rows) -> str:
    return "\n".join(["id,rooms,owner,sold", *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with contract and config; the home is beside it, and stays away."""
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "houses.odcs.yaml").write_text(CONTRACT)
    (folder / "houses.yaml").write_text(CONFIG)
    return folder


@pytest.fixture
def first_rows(project: Path) -> Callable[..., FirstRows]:
    """Look at the first rows of the project's source, with settings over the config."""

    def look(*settings: str) -> FirstRows:
        config, contract = open_pipeline(project / "houses.yaml", settings)
        assert isinstance(config, PipelineConfig)
        return look_at_rows(config, contract)

    return look


@pytest.fixture
def looked(project: Path) -> Callable[..., Looked]:
    """Look at the project's source as the command does."""

    def look(*settings: str) -> Looked:
        path = project / "houses.yaml"
        return look_at_source(path, *open_pipeline(path, settings))

    return look
