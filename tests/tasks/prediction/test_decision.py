from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.errors import IntegrityError
from tasks.prediction.decision import DECISION, Decision, read_decision
from tasks.references import CalibrationRef
from tests.tasks.prediction.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_a_decision_is_what_it_was_once_it_is_read_again(name: str, tmp_path: Path) -> None:
    _, decision = CASES[name]
    (tmp_path / DECISION).write_text(decision.model_dump_json())
    assert read_decision(CalibrationRef(path=str(tmp_path), digest="d")) == decision


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"thresholds": [1.5]}, {"threshold": 0.5}])
def test_what_is_no_decision_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Decision.model_validate(wrong)


def test_a_lost_or_torn_decision_is_told(tmp_path: Path) -> None:
    reference = CalibrationRef(path=str(tmp_path), digest="d")
    with pytest.raises(IntegrityError, match="the calibration is gone"):
        read_decision(reference)
    (tmp_path / DECISION).write_text('{"temperature": 1')
    with pytest.raises(IntegrityError, match="not a calibration's decision"):
        read_decision(reference)
