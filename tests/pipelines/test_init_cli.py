from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.pipelines.command_line import called


def test_init_says_what_it_found_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(4)
    rows = [f"{draw.gauss(0, 1):.3f},{draw.choice(['yes', 'no'])}" for _ in range(60)]
    Path("visits.csv").write_text("\n".join(["size,came back", *rows]))
    code, out, err = called(["init", "visits.csv"], capsys, monkeypatch)
    assert (code, out) == (2, "")
    assert "--target 'came back'" in err
    code, out, told = called(["init", "visits.csv", "--target", "came back", "--json"], capsys, monkeypatch)
    assert code == 0
    assert "visits.csv: 60 rows, 2 columns, csv" in told
    assert "  headrace check pipelines/configs/visits.yaml" in told
    said = json.loads(out)
    assert said["files"] == ["data_contracts/visits.odcs.yaml", "pipelines/configs/visits.yaml"]
    assert said["problem"] == "binary"
    assert called(["check", "pipelines/configs/visits.yaml"], capsys, monkeypatch)[0] == 0
    code, _, err = called(["init", "visit.csv", "--target", "x"], capsys, monkeypatch)
    assert code == 2
    assert "did you mean visits.csv?" in err
