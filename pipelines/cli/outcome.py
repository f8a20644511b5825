"""How a command ends: its exit code, and its last words for people or for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from pipelines.failures import exit_code_of


def report_failure(error: ValueError, *, as_json: bool) -> int:
    """Print a failure and return the exit code.

    Args:
        error: What was raised.
        as_json: Also print `{"status": "failed", ...}` as the last line of standard output.

    Raises:
        ValueError: The same error, where it is none of Headrace's own: that is a defect, and keeps its traceback.
    """
    code = exit_code_of(error)
    if code is None:
        raise error
    click.echo(f"error: {error}", err=True)
    if as_json:
        print_json({"status": "failed", "exit_code": code, "error": type(error).__name__, "message": str(error)})
    return code


def print_json(value: Mapping[str, Any]) -> None:
    """Print one machine-readable object on one line of standard output."""
    click.echo(json.dumps(value, sort_keys=True, allow_nan=False))


def leave(code: int) -> NoReturn:
    """End the process at once: no thread is waited for, and nothing is done at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
