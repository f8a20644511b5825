"""Runs that were killed: each leaves a locked file while it lives, by which the next run knows it dead.

The system lets go of a lock when a process ends, however it ends; so no process id can be mistaken for another's, and
a run on another machine that shares the disk is seen too. Prefect would show a killed run as running for ever.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
from prefect.client.schemas.objects import State, StateType
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed

from pipelines.environment import results_folder
from pipelines.server_away import is_away
from tasks.storage import naming_full_disk

MESSAGE = "The run's process ended without a word: it was killed, or its machine went down."

_FOLDER = "at_work"
# A run of a server that was never asked again.
_FORGOTTEN_SECONDS = 30 * 24 * 3600
_ENDS_LATER = frozenset({StateType.RUNNING, StateType.PENDING, StateType.CANCELLING})

# Records and their locks by the thread of their run. They stay until this process ends, or the thread begins its next
# run: after the flow's own code Prefect still reports the state it ended in.
_held: dict[int, list[tuple[Path, int]]] = {}


def go_on_record() -> None:
    """Mark runs whose process is dead as crashed, and leave a locked file for the current flow run.

    Raises:
        DiskFullError: There is no space left.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.parent_task_run_id is None:
        # A run inside none: what this thread ran before has ended, and Prefect knows. A backfill of many partitions
        # would else hold a file open for each.
        _go_off_record(threading.get_ident())
    mark_dead()
    folder = _records()
    new = folder / f".{uuid4().hex}"
    with naming_full_disk(folder):
        # The user's umask says who else may: another user's run must lock it to see whether this one lives.
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps({"attempt": runtime.flow_run.run_count}).encode())
        path = new.rename(folder / f"{runtime.flow_run.id}.json")
    _held.setdefault(threading.get_ident(), []).append((path, descriptor))


def mark_dead() -> list[str]:
    """Mark the runs of this home whose process is dead and that Prefect takes for alive.

    Such a run becomes Crashed, and Cancelled if that was asked for; so do its tasks. A server that is away is asked
    by the next run.

    Returns:
        The names of the runs that were marked.
    """
    dead = [path for path in sorted(_records().glob("*.json")) if _run_of(path) is not None and not _is_alive(path)]
    if not dead:
        return []
    marked = []
    with get_client(sync_client=True) as client:
        for path in dead:
            try:
                marked += _judge(client, path)
            except httpx.HTTPError:
                break
    return marked


@atexit.register
def _at_exit() -> None:
    """Drop the records of a process that ends by itself."""
    for thread in list(_held):
        _go_off_record(thread)


def _go_off_record(thread: int) -> None:
    """Drop the records of a thread's runs, unless a server is away that has not heard of a run's end."""
    for path, descriptor in _held.pop(thread, ()):
        if not is_away():
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _records() -> Path:
    """Return the folder of the records: on this machine, also where the home is in an object store."""
    folder = results_folder().parent / _FOLDER
    with naming_full_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_alive(path: Path) -> bool:
    with _opened(path) as descriptor:
        if descriptor is None:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        # Another attempt at the same run may have replaced the file in between.
        return not path.exists() or os.fstat(descriptor).st_ino != path.stat().st_ino


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        # What this user may not even lock is another user's to judge.
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _judge(client: SyncPrefectClient, path: Path) -> list[str]:
    """Mark the run of a record as what it is, and drop the record."""
    try:
        run = client.read_flow_run(UUID(path.stem))
    except ObjectNotFound:
        # Another server's run, or one that was deleted.
        if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
            path.unlink(missing_ok=True)
        return []
    attempt = _attempt(path)
    marked = []
    if run.state is not None and run.state.type in _ENDS_LATER and run.run_count == attempt:
        state: State[None] = Cancelled(message=MESSAGE) if run.state.is_cancelling() else Crashed(message=MESSAGE)
        client.set_flow_run_state(run.id, state, force=True)
        _mark_tasks(client, run.id)
        marked.append(run.name)
    path.unlink(missing_ok=True)
    return marked


def _run_of(path: Path) -> UUID | None:
    """Return the id of the run that a record is of; None of a file that is no record of ours."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None


def _attempt(path: Path) -> int | None:
    """Return which attempt at its run a record is of; None where a crash of the system has left no word of it."""
    try:
        said = json.loads(path.read_bytes())
    except ValueError:
        return None
    attempt = said.get("attempt") if isinstance(said, dict) else None
    return attempt if isinstance(attempt, int) else None


def _mark_tasks(client: SyncPrefectClient, run: UUID) -> None:
    tasks = client.read_task_runs(
        flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run]}}),
        task_run_filter=TaskRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}),
    )
    for task in tasks:
        client.set_task_run_state(task.id, Crashed(message=MESSAGE), force=True)
