"""`headrace drift`, over the samples of a real endpoint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from pipelines.cli.drift import parse_since
from tests.pipelines.command_line import called
from tests.serving.bundles import request, serving
from tests.tasks.drift.watched import documents, flights, promote_described

_ROWS, _AT_ONCE = 500, 50


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose models `calm` and `moved` answered, `moved` flights that are further."""
    folder = tmp_path_factory.mktemp("home")
    described = documents()
    for name in ("calm", "moved"):
        promote_described(folder / "models", described, name)
    (folder / "serve.yaml").write_text(json.dumps({"samples": {"folder": "samples", "share": 1}}))
    arguments = ("--config", str(folder / "serve.yaml"))
    with serving(folder / "models", folder / "log", *arguments) as endpoint, httpx.Client() as client:
        for name, further in (("calm", 0.0), ("moved", 0.5)):
            columns = flights(_ROWS, 30, further)
            del columns["departs"]
            for begin in range(0, _ROWS, _AT_ONCE):
                part = {key: values[begin : begin + _AT_ONCE] for key, values in columns.items()}
                body = {"id": f"{name}-{begin}", **request(_AT_ONCE, **part)}
                answer = client.post(f"{endpoint.url}/v2/models/{name}/infer", json=body)
                assert answer.status_code == 200, answer.text
        assert endpoint.stop() == 0
    return folder


class Shell:
    """Runs `headrace drift` in a home."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADRACE_HOME", str(home))
        self._samples, self._capsys, self._patch = str(home / "samples"), capsys, monkeypatch

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return called(["drift", *arguments, "--samples", self._samples], self._capsys, self._patch)


@pytest.fixture
def shell(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(home, capsys, monkeypatch)


def test_traffic_like_the_training_data_ends_well(shell: Shell) -> None:
    code, out, err = shell.run("calm", "--json")
    assert code == 0, err
    assert "nothing drifted" in err
    assert "note: most rows come from requests of many rows" in err
    found: dict[str, Any] = json.loads(out)
    assert (found["status"], found["rows"], found["alarms"]) == ("no drift", _ROWS, [])


def test_shifted_traffic_names_the_feature(shell: Shell) -> None:
    code, out, _ = shell.run("moved", "--since", "1h")
    assert code == 3
    lines = out.splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("drifted"))
    assert lines[head].split("  ")[0] == "drifted"
    assert lines[head + 1].startswith("distance")
    assert "higher: " in lines[head + 1]
    assert not any(line.startswith(("carrier", "seats", "charter")) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("unknown",), "has no model 'unknown'; it has: calm, moved"),
        (("calm", "--version", "9"), "has no version '9'"),
        (("calm", "--since", "yesterday"), "'yesterday' is no time"),
        (("calm", "--since", "2999-01-01"), "0 sampled rows since"),
    ],
)
def test_what_cannot_be_checked_is_said(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = shell.run(*arguments)
    assert code == 2
    assert said in err
    assert out == ""


def test_since_reads_times_and_durations() -> None:
    now = datetime(2026, 5, 8, tzinfo=UTC)
    assert parse_since("7d", now) == parse_since("168h", now) == parse_since("2026-05-01", now)
    assert parse_since("2026-05-01T02:00:00+02:00", now) == parse_since("10080m", now)
    with pytest.raises(click.BadParameter):
        parse_since("7", now)
