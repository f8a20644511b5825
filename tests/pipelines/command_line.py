"""The command line in this process: its exit code and what it said."""

from __future__ import annotations

import sys

import pytest

from pipelines.cli import command_line


def called(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    """Run `headrace` with these arguments; return its exit code, its output and its errors."""
    monkeypatch.setattr(sys, "argv", ["headrace", *arguments])
    try:
        command_line()
    except SystemExit as stop:
        code = int(stop.code or 0)
    else:
        code = 0
    said = capsys.readouterr()
    return code, said.out, said.err
