"""What an error of Headrace's own means: for the exit code, and for whoever keeps a table of meanings.

Errors are told apart by name, because importing the classes would import the libraries behind them, which
`headrace --help` must not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Meaning = TypeVar("Meaning")

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


def exit_code_of(error: BaseException) -> int | None:
    """Return the exit code of one of Headrace's own errors; None for any other."""
    return meaning_of(error, _EXIT_CODES)


def meaning_of(error: BaseException, meanings: Mapping[str, Meaning]) -> Meaning | None:
    """Return what an error's class means, or else the nearest class that it comes from; None if none is named.

    Args:
        error: What was raised.
        meanings: By the name of the class.
    """
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((meanings[name] for name in names if name in meanings), None)
