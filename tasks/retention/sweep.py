"""Remove what a survey found: whoever is killed at it leaves every other thing whole, and the next one finishes."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from serving.bundle.errors import RemoteError
from serving.bundle.manifest import MANIFEST
from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from serving.bundle.writing import folder_names, locked
from tasks.errors import ConfigError
from tasks.retention.items import CONTENT, GONE, MODELS, RUNS, Item
from tasks.retention.listing import entries
from tasks.retention.lock import alone
from tasks.retention.roots import named_versions
from tasks.retention.survey import Survey, Verdict
from tasks.storage_remote import WHOLE


@dataclass(frozen=True)
class Swept:
    """What came of it.

    Attributes:
        removed: What is gone.
        left: What was written, or named by a pointer or a traffic plan, since the survey.
        busy: Whether nothing was removed because a run is at work, or has begun since the survey.
    """

    removed: tuple[Verdict, ...] = ()
    left: tuple[Verdict, ...] = ()
    busy: bool = False


def sweep(survey: Survey) -> Swept:
    """Remove what a survey says goes.

    Raises:
        ConfigError: Something may not be removed by this user.
        StoreError: A model's pointer or traffic plan is corrupt.
    """
    with alone(survey.home) as free:
        if not free or _has_begun(survey):
            return Swept(busy=True)
        done = list(removals(survey))
    return Swept(
        removed=tuple(verdict for verdict, gone in done if gone),
        left=tuple(verdict for verdict, gone in done if not gone),
    )


def removals(survey: Survey) -> Iterator[tuple[Verdict, bool]]:
    """Remove one thing after the other, and yield each with whether it is gone; `sweep` keeps runs out meanwhile."""
    for verdict in survey.goes:
        item = verdict.item
        if item.kind != MODELS:
            yield verdict, _removed(survey, item)
            continue
        folder = survey.home / MODELS / item.parent
        with locked(folder) if folder.is_dir() else nullcontext():
            named = item.name in named_versions(ModelStore(survey.home / MODELS), item.parent)
            gone = not named and _removed(survey, item)
        yield verdict, gone


def _has_begun(survey: Survey) -> bool:
    known = {verdict.item.path for verdict in (*survey.goes, *survey.stays)}
    home = survey.home
    return any(
        f"{RUNS}/{pipeline}/{run}" not in known
        for pipeline in folder_names(home / RUNS)
        for run in folder_names(home / RUNS / pipeline)
        if not run.startswith(".")
    )


def _removed(survey: Survey, item: Item) -> bool:
    """Remove a thing, unless somebody has written into it since the survey."""
    found = entries(survey.home, item.path)
    if any(entry.modified > item.modified for entry in found):
        return False
    path = survey.home / item.path
    try:
        if isinstance(path, RemotePath):
            _remove_remote(path, item.kind)
        else:
            _remove_local(path)
    except RemoteError:
        raise
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be removed: {error.strerror}; everything else is as it was\n"
            "  do: let this user write to that folder, or run it as the one who made it, and run it again"
        ) from error
    return True


def _remove_remote(path: RemotePath, kind: str) -> None:
    """Remove first what makes a folder whole, so that nobody takes the rest for one."""
    if kind in CONTENT or kind == MODELS:
        (path / (WHOLE if kind in CONTENT else MANIFEST)).unlink(missing_ok=True)
    path.remove()


def _remove_local(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    gone = path if path.name.startswith(GONE) else path.with_name(f"{GONE}{uuid.uuid4().hex}")
    if gone != path:
        path.rename(gone)
    shutil.rmtree(gone)
