"""`headrace check` as it is typed: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipelines.checking.conftest import csv_of, good
from tests.pipelines.command_line import called


def test_it_says_what_it_saw_and_what_a_run_costs(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "houses.csv").write_text(csv_of(good(1_500)))
    code, out, error = called(["check", str(project / "houses.yaml"), "--json"], capsys, monkeypatch)
    head, source, cost, target = error.splitlines()
    assert code == 0
    assert head.endswith("houses.yaml: good; contract houses 1.0.0: 4 columns, 8 rules")
    assert source.startswith("source: 1 file; the first 1,000 of about 1,")
    assert cost.startswith("cost: about 0.")
    assert target == "note: target `sold`: `true` 66.6%, `false` 33.4%"
    found = json.loads(out)
    assert (found["status"], found["rows_looked_at"], found["quarantined"]) == ("good", 1_000, {})
    assert found["cost"]["columns"] == 4
    assert called(["check", str(project / "houses.yaml"), "--quick"], capsys, monkeypatch) == (0, f"{head}\n", "")


def test_each_kind_of_refusal_has_its_exit_code(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(project / "houses.yaml")
    code, _, error = called(["check", config], capsys, monkeypatch)
    assert (code, "there is no such file or folder" in error) == (2, True)
    assert called(["check", config, "--quick"], capsys, monkeypatch)[0] == 0
    (project / "houses.csv").write_text(csv_of([(number, "0", "Ada", "true") for number in range(50)]))
    code, out, error = called(["check", config, "--json"], capsys, monkeypatch)
    assert (code, json.loads(out)["error"]) == (4, "ContractBrokenError")
    assert "houses.odcs.yaml:13: `rooms`: expected minimum 1, got such as `0`" in error
    code, _, error = called(["check", config, "--partition", "2013"], capsys, monkeypatch)
    assert (code, "has no section `partitions`" in error) == (2, True)
