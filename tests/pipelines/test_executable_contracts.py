from __future__ import annotations

from pathlib import Path

import pytest

from data_contracts.contract import Contract
from data_contracts.errors import ContractError
from data_contracts.loader import load_contract
from pipelines.executable_contracts import require_executable

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: 5b3c2d9e-orders
name: orders
version: 1.0.0
status: active
schema:
  - name: orders
    logicalType: object
    quality:
      - id: asked
        type: custom
        engine: greatExpectations
        implementation: {type: EXPECTATION, kwargs: {column: amount, min_value: 0}}
    properties:
      - {name: amount, logicalType: number}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("HEADRACE_HOME", str(folder))
    return folder


def contract(folder: Path, expectation: str) -> Contract:
    path = folder / "orders.odcs.yaml"
    path.write_text(TEXT.replace("EXPECTATION", expectation))
    return load_contract(path)


def kept(home: Path) -> list[Path]:
    return list((home / "executable").glob("*"))


def test_a_contract_that_passed_is_known_by_its_digest(tmp_path: Path, home: Path) -> None:
    sound = contract(tmp_path, "expect_column_values_to_be_between")
    require_executable(sound)
    assert not home.exists()
    home.mkdir()
    require_executable(sound)
    (record,) = kept(home)
    written = record.stat().st_mtime_ns
    require_executable(sound)
    assert record.stat().st_mtime_ns == written
    require_executable(contract(tmp_path, "expect_column_values_to_be_between").model_copy(update={"digest": "other"}))
    assert len(kept(home)) == 2


def test_a_contract_with_a_mistake_is_tried_again_each_time(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    mistaken = contract(tmp_path, "expect_column_value_to_be_between")
    for _ in range(2):
        with pytest.raises(ContractError, match=r"orders\.odcs\.yaml:11: rule asked: there is no expectation"):
            require_executable(mistaken)
    assert kept(home) == []
