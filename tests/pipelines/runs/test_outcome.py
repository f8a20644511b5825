from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from data_contracts.errors import ContractBrokenError
from pipelines.runs.outcome import keeping_outcome
from tasks.errors import GateRefusedError, LeakageError


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (GateRefusedError("no"), "refused"),
        (ContractBrokenError("no"), "contract broken"),
        (LeakageError("no"), "leak"),
        (ZeroDivisionError("no"), "failed"),
    ],
)
def test_every_error_leaves_its_verdict(tmp_path: Path, error: Exception, verdict: str) -> None:
    with pytest.raises(type(error)), keeping_outcome(tmp_path, "2026-01"):
        raise error
    said = json.loads((tmp_path / "outcome.json").read_bytes())
    assert (said["verdict"], said["error"], said["message"]) == (verdict, type(error).__name__, "no")
    assert said["partition"] == "2026-01"
    assert said["seconds"] >= 0


def test_a_run_that_was_stopped_and_one_that_ends_well(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), keeping_outcome(tmp_path, None):
        raise KeyboardInterrupt
    assert json.loads((tmp_path / "outcome.json").read_bytes())["verdict"] == "stopped"
    with keeping_outcome(tmp_path, None):
        pass
    assert json.loads((tmp_path / "outcome.json").read_bytes())["verdict"] == "promoted"


def test_a_disk_that_is_full_does_not_hide_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LeakageError), keeping_outcome(tmp_path, None):
        raise LeakageError("no")
