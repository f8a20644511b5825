"""Refused calls of gRPC leave nothing behind."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from serving.transports.grpc.library_log import is_failure
from tests.serving.bundles import promote

ROOT = Path(__file__).parents[4]


def test_a_refused_call_is_freed_at_once(tmp_path: Path) -> None:
    promote(tmp_path)
    command = [sys.executable, "-m", "tests.serving.transports.grpc.refusing", str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    codes = ["INVALID_ARGUMENT", "NOT_FOUND", "INVALID_ARGUMENT", "NOT_FOUND"]
    assert json.loads(said) == [codes, [], 0]


@pytest.mark.parametrize(("name", "failure"), [("ExecuteBatchError", False), ("ValueError", True)])
def test_a_client_that_leaves_while_it_is_answered_is_no_failure(name: str, failure: bool) -> None:
    error = type(name, (Exception,), {})()
    record = logging.LogRecord("grpc", logging.ERROR, "", 0, "raised in core", (), (type(error), error, None))
    assert is_failure(record) is failure
