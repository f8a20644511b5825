from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import report as report_command
from serving.bundle.places import place
from tests.pipelines.command_line import called
from tests.pipelines.runs.homes import BROKEN, KILLED, OLD, REFUSED, home_of_runs

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    return home_of_runs(tmp_path)


def test_a_list_has_a_line_for_each_run(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = called(["runs", "list"], capsys, monkeypatch)
    head, *lines = out.splitlines()
    assert code == 0
    assert head.split()[:2] == ["pipeline", "run"]
    assert [line.split()[1] for line in lines] == [KILLED, BROKEN, REFUSED, OLD]
    told = "2026-01-02 08:00  2026-01    refused          delay 2  roc_auc 0.7512  12 s"
    assert lines[2] == f"flights   {REFUSED}  {told}"
    code, out, err = called(["runs", "list", "--last", "1"], capsys, monkeypatch)
    assert len(out.splitlines()) == 2
    assert "3 older" in err


def test_a_list_as_json(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    _, out, _ = called(["runs", "list", "--pipeline", "flights", "--json"], capsys, monkeypatch)
    told = json.loads(out)
    assert (told["total"], [run["verdict"] for run in told["runs"]]) == (3, ["contract broken", "refused", "promoted"])


def test_no_runs_yet(tmp_path: Path, capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    assert called(["runs", "list"], capsys, monkeypatch)[:2] == (0, "")
    code, _, err = called(["runs", "show", "latest"], capsys, monkeypatch)
    assert (code, "there are no runs" in err) == (2, True)


def test_a_run_is_shown_with_its_error(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    _, out, _ = called(["runs", "show", BROKEN], capsys, monkeypatch)
    assert "verdict    contract broken" in out
    assert "too many rows\n  do: look" in out
    _, out, _ = called(["runs", "show", REFUSED], capsys, monkeypatch)
    assert "roc_auc   0.7512 (0.7463 to 0.7561)" in out
    assert "REFUSED: -0.0006 >= 0.001" in out
    _, out, _ = called(["runs", "show", REFUSED, "--json"], capsys, monkeypatch)
    assert json.loads(out)["metrics"]["roc_auc"]["high"] == 0.7561


def test_runs_are_compared(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = called(["runs", "compare", OLD, "bbbb"], capsys, monkeypatch)
    assert code == 0
    assert "  train.rounds  -  3" in out
    _, out, _ = called(["runs", "compare", OLD, OLD], capsys, monkeypatch)
    assert "config: the same" in out
    _, out, _ = called(["runs", "compare", OLD, "bbbb", "--json"], capsys, monkeypatch)
    assert json.loads(out)["config"]["train.seed"] == [1, 2]
    assert called(["runs", "compare", OLD], capsys, monkeypatch)[0] == 2


def test_wrong_names_end_with_2_and_the_nearest(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    code, _, err = called(["runs", "show", "fligths"], capsys, monkeypatch)
    assert (code, "did you mean `flights`?" in err) == (2, True)
    code, _, err = called(["report", "2026"], capsys, monkeypatch)
    assert (code, "may be any of 4" in err) == (2, True)


def test_a_report_as_text_and_as_a_path(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    page = home / "runs" / "flights" / REFUSED / "report.html"
    assert called(["report", REFUSED], capsys, monkeypatch)[1] == f"{page}\n"
    _, out, _ = called(["report", REFUSED, "--text"], capsys, monkeypatch)
    assert out.startswith("Refused: flight-delay, version 3")
    assert "Can the data be trusted? yes" in out
    assert "What to do next\n  1. " in out
    _, out, _ = called(["report", REFUSED, "--json"], capsys, monkeypatch)
    assert json.loads(out)["told"]["answers"][0]["tone"] == "bad"


def test_a_browser_opens_the_page_where_that_is_asked_for(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(report_command, "_open", opened.append)
    called(["report", REFUSED, "--open"], capsys, monkeypatch)
    assert opened == [home / "runs" / "flights" / REFUSED / "report.html"]
    monkeypatch.setenv("DISPLAY", ":0")
    called(["report", REFUSED], capsys, monkeypatch)
    assert len(opened) == 1, "its output is no terminal"


def test_a_run_without_a_report_says_why(home: Path, capsys: Capture, monkeypatch: Patch) -> None:
    code, _, err = called(["report", BROKEN], capsys, monkeypatch)
    assert code == 2
    assert "has no report: contract broken: too many rows" in err


def test_looking_at_runs_imports_nothing_heavy(home: Path) -> None:
    heavy = ("torch", "prefect", "dask", "pandas", "pyarrow", "numpy", "matplotlib", "onnxruntime")
    code = f"""
import sys
from pipelines.cli import headrace
for words in (["runs", "list"], ["runs", "show", "{REFUSED}"], ["report", "{REFUSED}", "--text"]):
    headrace(words, standalone_mode=False)
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_home_in_an_object_store(capsys: Capture, monkeypatch: Patch) -> None:
    home = home_of_runs(place("memory://headrace-runs"))
    monkeypatch.setenv("HEADRACE_HOME", str(home))
    code, out, _ = called(["runs", "list"], capsys, monkeypatch)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[1:]] == [KILLED, BROKEN, REFUSED, OLD]
    _, out, _ = called(["report", f"{home}/runs/flights/{REFUSED}", "--text"], capsys, monkeypatch)
    assert out.startswith("Refused: flight-delay, version 3")


@pytest.mark.parametrize(
    ("document", "torn"), [("outcome.json", b"{"), ("summary.json", b"\xff"), ("summary.json", b"[]")]
)
def test_a_torn_document_hides_no_other_run(
    home: Path, capsys: Capture, monkeypatch: Patch, document: str, torn: bytes
) -> None:
    (home / "runs" / "flights" / REFUSED / document).write_bytes(torn)
    code, out, err = called(["runs", "list"], capsys, monkeypatch)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[1:]] == [KILLED, BROKEN, REFUSED, OLD]
    assert out.splitlines()[3].split() == ["flights", REFUSED, "2026-01-02", "08:00", "torn"]
    assert f"warning: {home / 'runs' / 'flights' / REFUSED / document}: " in err
    _, told, _ = called(["runs", "list", "--json"], capsys, monkeypatch)
    rows = {row["run"]: row for row in json.loads(told)["runs"]}
    assert rows[REFUSED].keys() == rows[OLD].keys()
