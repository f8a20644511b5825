"""`headrace models canary`, `shadow`, `also`, `clear`, `retire`, `restore`, `traffic`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.store import ModelStore
from tests.pipelines.command_line import called
from tests.serving.bundles import INPUTS, promote, small_model, write_bundle


class Shell:
    """Runs `headrace models` over a store with the champion 1 and the versions 2, proven, and 3, refused by a gate."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADRACE_HOME", str(home))
        self.store = ModelStore(home / "models")
        self._capsys = capsys
        self._patch = monkeypatch
        promote(self.store.root)
        for version, passed in (("2", True), ("3", False)):
            self.store.register("small", partial(write_bundle, graph=small_model(float(version))))
            gates = json.dumps({"gates": [{"gate": "min_auc", "passed": passed}]})
            (self.store.bundle_path("small", version) / "measurements.json").write_text(gates)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return called(["models", *arguments], self._capsys, self._patch)

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, capsys, monkeypatch)


def test_a_plan_is_made_shown_and_cleared(shell: Shell) -> None:
    assert shell.json("canary", "small", "2", "--percent", "12.5")["canary"] == {"version": "2", "percent": 12.5}
    assert shell.json("shadow", "small", "3")["shadow"] == {"version": "3", "percent": 100.0}
    plan = shell.json("also", "small", "2", "3")
    assert plan == shell.json("traffic", "small")
    assert plan == {
        "model": "small",
        "champion": "1",
        "canary": {"version": "2", "percent": 12.5},
        "shadow": {"version": "3", "percent": 100.0},
        "also": ["2", "3"],
        "retired": False,
    }
    _, out, _ = shell.run("traffic", "small")
    assert "canary   2  answers 12.5% of what names no version" in out
    listed = shell.json("list")["versions"]
    assert [row["traffic"] for row in listed] == [[], ["canary", "also"], ["shadow", "also"]]
    cleared = shell.json("clear", "small")
    assert (cleared["canary"], cleared["shadow"], cleared["also"]) == (None, None, [])


def test_a_model_is_retired_and_restored(shell: Shell) -> None:
    shell.run("also", "small", "2")
    _, out, _ = shell.run("retire", "small")
    assert "small: retired, nothing is served" in out
    assert shell.json("clear", "small")["retired"] is True
    assert shell.json("restore", "small")["retired"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("canary", "small", "3", "--percent", "1"), 3, "refused by min_auc"),
        (("canary", "small", "1", "--percent", "1"), 2, "is the champion of 'small' already"),
        (("canary", "small", "9", "--percent", "1"), 2, "no version '9'"),
        (("canary", "small", "../2", "--percent", "1"), 2, "is no version name"),
        (("canary", "small", "2", "--percent", "101"), 2, "0<=x<=100"),
        (("canary", "small", "2"), 2, "--percent"),
        (("shadow", "small", "9"), 2, "it has: 1, 2, 3"),
        (("shadow", "other", "1"), 2, "has no champion"),
        (("also", "small", "2", "9"), 2, "no version '9'"),
        (("retire", "other"), 2, "has no model 'other'; it has: small"),
        (("traffic", "other"), 2, "has no model 'other'"),
        (("clear", "../small"), 2, "is no model name"),
    ],
)
def test_what_cannot_be_is_refused(shell: Shell, arguments: tuple[str, ...], code: int, said: str) -> None:
    got, _, err = shell.run(*arguments)
    assert (got, said in err) == (code, True), err
    assert not shell.store.traffic_path("small").exists()


def test_a_corrupt_plan_is_named_and_can_be_cleared(shell: Shell) -> None:
    shell.store.traffic_path("small").write_text('{"canary": 3}')
    code, _, err = shell.run("traffic", "small")
    assert code == 2
    assert "the traffic plan is corrupt: canary" in err
    assert shell.json("clear", "small")["canary"] is None


def test_a_canary_with_other_inputs_is_said_so(shell: Shell) -> None:
    _, _, err = shell.run("canary", "small", "2", "--percent", "1")
    assert err == ""
    graph = small_model(4)
    spare = next(node for node in graph.graph.input if node.name == "carrier")
    spare.name = "airline"
    next(node for node in graph.graph.node if "carrier" in node.input).input[0] = "airline"
    inputs = (INPUTS[0].model_copy(update={"name": "airline"}), *INPUTS[1:])
    version = shell.store.register("small", partial(write_bundle, graph=graph, inputs=inputs)).version
    passed = json.dumps({"gates": [{"gate": "min_auc", "passed": True}]})
    (shell.store.bundle_path("small", version) / "measurements.json").write_text(passed)
    code, _, err = shell.run("canary", "small", version, "--percent", "1")
    assert code == 0
    assert "note: version 4 wants airline as BYTES, knows no carrier as BYTES, unlike the champion" in err
