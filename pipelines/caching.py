"""Cache keys: what a task's result depends on, and whether what it left is still there.

A key is the digest of the inputs' digests, the task's own section of the config and the version of its code. The
place where things lie and the cluster that does the work are no part of it. Prefect keeps the returned references
under the key, as JSON; a run that was killed finds the finished tasks' results and starts at the first missing one.
Prefect keeps them in a folder of this machine; where Headrace's home is in an object store, they are shared through it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data_contracts.contract import Contract
from pipelines.code_version import code_version
from pipelines.environment import RESULTS
from tasks.engine import DaskConfig
from tasks.references import Reference
from tasks.storage import digest_of, is_remote, is_whole, place, write_atomic


def cache_key(function: Callable[..., Any], parameters: Mapping[str, Any]) -> str:
    """Return the key of one call of a task function.

    Args:
        function: The task function; its module's code version is part of the key.
        parameters: The call's arguments by name.
    """
    inputs = {name: _meaning(value) for name, value in parameters.items() if not _is_place(value)}
    return digest_of(
        {
            "task": f"{function.__module__}.{function.__qualname__}",
            "code": code_version(function.__module__),
            "inputs": inputs,
        }
    )


def drop_unusable(record: Path) -> None:
    """Remove a stored result that cannot be used: torn by a kill, or referring to something that is gone."""
    try:
        stored = json.loads(json.loads(record.read_bytes())["result"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        record.unlink(missing_ok=True)
        return
    if not all(is_whole(place(path)) for path in _paths(stored)):
        record.unlink(missing_ok=True)


def fetch_record(record: Path, home: Path) -> None:
    """Get a result that another machine left in the object store, where this machine has none."""
    if is_remote(home) and not record.exists():
        try:
            content = (home / RESULTS / record.name).read_bytes()
        except FileNotFoundError:
            return
        write_atomic(record, content)


def share_record(record: Path, home: Path) -> None:
    """Leave a stored result in the object store for other machines, if that is where the home is."""
    # Prefect keeps no result of a task whose key it could not compute.
    if is_remote(home) and record.exists():
        write_atomic(home / RESULTS / record.name, record.read_bytes())


def _is_place(value: Any) -> bool:
    return isinstance(value, Path | DaskConfig)


def _meaning(value: Any) -> Any:
    if isinstance(value, Reference | Contract):
        return value.digest
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value


def _paths(stored: Any) -> Iterator[str]:
    if isinstance(stored, dict):
        for key, value in stored.items():
            if key == "path" and isinstance(value, str):
                yield value
            else:
                yield from _paths(value)
    elif isinstance(stored, list):
        for value in stored:
            yield from _paths(value)
