"""The access log, in real files."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.service.exchange import Response
from serving.watch.access_log import AccessLog, LogConfig
from tests.serving.watch.watched import INFER, OK, finished


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_says_what_became_of_a_request(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogConfig(access=path))
    known = {"model": "small", "version": "3", "request_id": "r-1", "key": "team", "rows": 2, "bytes_in": 90}
    log.finished(finished(**known), OK)
    log.finished(finished(error="ContractViolationError", rules=("b", "a", "b")), Response(400, b"no"))
    log.stop()
    good, bad = lines(path)
    moment = datetime.fromisoformat(good.pop("time"))
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert 0 <= good.pop("ms") < 60_000
    assert good == known | {
        "protocol": "http",
        "method": "POST",
        "path": INFER,
        "status": 200,
        "bytes_out": 2,
        "client": "10.0.0.1",
        "error": "",
        "rules": [],
    }
    assert (bad["status"], bad["error"], bad["rules"]) == (400, "ContractViolationError", ["a", "b"])


def test_what_a_client_chose_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogConfig(access=path))
    log.finished(finished("/" + "x" * 9999, request_id="\n" * 9999, model="y" * 9999), OK)
    log.stop()
    (line,) = lines(path)
    assert [len(line[name]) for name in ("path", "request_id", "model")] == [256] * 3


@pytest.mark.parametrize("rotate", [lambda path: path.rename(path.with_suffix(".1")), Path.unlink])
def test_a_file_that_was_moved_is_made_anew(tmp_path: Path, rotate: Any) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogConfig(access=path))
    rotate(path)
    log.finished(finished(), OK)
    log.stop()
    assert len(lines(path)) == 1


def test_too_many_lines_are_dropped_and_counted(tmp_path: Path) -> None:
    log = AccessLog(LogConfig(access=tmp_path / "access.log", queue_lines=3))
    for _ in range(5000):
        log.finished(finished(), OK)
    log.stop()
    assert log.dropped > 0
    assert len(lines(tmp_path / "access.log")) + log.dropped == 5000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_costs_lines_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    log = AccessLog(LogConfig(access=Path("/dev/full")))
    with caplog.at_level(logging.ERROR):
        log.finished(finished(), OK)
        log.stop()
    assert log.dropped == 1
    assert "No space left" in caplog.text


def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        AccessLog(LogConfig(access=tmp_path / "nowhere" / "access.log"))
