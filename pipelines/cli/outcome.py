"""How a command ends: its exit code, and its last words for people or for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from pipelines.cli.machine import refusal_of
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
    _say(code, type(error).__name__, str(error), as_json=as_json)
    return code


def report_refusal(error: Exception, *, as_json: bool) -> int:
    """Print what the machine refused, as `report_failure` prints a failure, and return the exit code.

    Raises:
        Exception: The same error, where it is a defect, and keeps its traceback.
    """
    refusal = refusal_of(error)
    if refusal is None:
        raise error
    _say(refusal.code, refusal.name, refusal.message, as_json=as_json)
    return refusal.code


def _say(code: int, name: str, message: str, *, as_json: bool) -> None:
    click.echo(f"error: {message}", err=True)
    if as_json:
        print_json({"status": "failed", "exit_code": code, "error": name, "message": message})


def print_json(value: Mapping[str, Any]) -> None:
    """Print one machine-readable object on one line of standard output."""
    click.echo(json.dumps(value, sort_keys=True, allow_nan=False))


def tell(text: str) -> None:
    """Print a line for people: on standard output, or beside it where `--json` keeps that for one object."""
    context = click.get_current_context(silent=True)
    click.echo(text, err=context is not None and bool(context.params.get("as_json")))


def leave(code: int) -> NoReturn:
    """End the process at once: no thread is waited for, and nothing is done at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
