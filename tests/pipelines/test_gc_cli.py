"""`headrace gc`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.command_line import called
from tests.tasks.retention.homes import Home, digest


class Shell:
    """Runs `headrace gc` over a home of which one dataset stays, and a run, a version and a dataset go."""

    def __init__(self, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADRACE_HOME", str(home.folder))
        self.home = home
        self.kept, self.lost = home.content("datasets", "kept"), home.content("datasets", "lost")
        home.version(1, [self.lost])
        home.version(2, [self.kept])
        home.run("p/2026-1", [self.lost], version="models/m/1")
        self._capsys, self._patch = capsys, monkeypatch

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return called(["gc", "--keep-runs", "0", "--keep-versions", "1", *arguments], self._capsys, self._patch)

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(Home(tmp_path / "home"), capsys, monkeypatch)


def test_without_delete_it_says_what_would_go_and_what_stays_and_touches_nothing(shell: Shell) -> None:
    before = shell.home.files()
    code, out, _ = shell.run()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    out = "\n".join(lines)
    assert code == 0
    assert lines[0] == "would go"
    assert any(line.startswith("runs 1 ") for line in lines)
    assert f"datasets/{digest('lost')[:12]} 40 days old: nothing that stays refers to it" in out
    assert "runs/p/2026-1 40 days old: older than 30 days, and not of the newest 0" in out
    assert any(line.startswith("models 1 ") and line.endswith("of the newest 1: 1") for line in lines)
    assert any(line.startswith("datasets 1 ") and line.endswith("used by what stays: 1") for line in lines)
    assert lines[-1] == "nothing was removed; add --delete to do it"
    assert shell.home.files() == before


def test_with_delete_it_is_done_and_the_next_time_there_is_nothing(shell: Shell) -> None:
    asked = shell.json()
    done = shell.json("--delete")
    assert asked["status"] == "dry run"
    assert done["status"] == "removed"
    assert asked["goes"] == done["goes"]
    assert [row["path"] for row in done["goes"]] == ["runs/p/2026-1", "models/m/1", shell.lost]
    assert done["bytes"] == sum(row["bytes"] for row in done["goes"]) > 0
    kept = {"kind": "datasets", "path": shell.kept, "why": "used by what stays", "used_by": "models/m/2"}
    assert {**next(row for row in done["stays"] if row["path"] == shell.kept), "bytes": 0} == {**kept, "bytes": 0}
    assert {name.split("/")[1] for name in shell.home.files()} == {digest("kept"), "m"}
    assert shell.json("--delete")["goes"] == []
    assert shell.run()[1].endswith("there is nothing to remove\n")


def test_what_is_wrong_is_said(shell: Shell) -> None:
    assert shell.run("--pipeline", "q")[0] == 2
    assert "expected one of: p" in shell.run("--pipeline", "q")[2]
    for wrong in (("--keep-days", "nan"), ("--keep-days", "-1"), ("--keep-versions", "0"), ("--grace-hours", "x")):
        code, _, err = shell.run(*wrong)
        assert code == 2
        assert wrong[0] in err
