"""How a command ends: its exit code, and its last words for people or for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

# By name: importing the classes would import the libraries behind them, which `headrace --help` must not.
_EXIT_CODES = {
    "BundleError": 1,
    "ClusterError": 1,
    "ConfigError": 2,
    "ContractBrokenError": 4,
    "ContractError": 2,
    "DataError": 2,
    "DiskFullError": 1,
    "GateRefusedError": 3,
    "IntegrityError": 1,
    "LeakageError": 4,
    "PrefectServerError": 1,
    "RemoteAccessError": 2,
    "RemoteError": 1,
    "SchemaMismatchError": 2,
    "ServerAwayError": 1,
    "ServerError": 1,
    "StoreError": 2,
    "TrainingError": 2,
    "WorkersFailedError": 1,
}


def exit_code_of(error: ValueError) -> int | None:
    """Return the exit code of one of Headrace's own errors; None for any other."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((_EXIT_CODES[name] for name in names if name in _EXIT_CODES), None)


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
