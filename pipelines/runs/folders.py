"""The folders of the runs: which there are, and which one a person means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from serving.bundle.places import is_remote
from serving.bundle.writing import folder_names
from tasks.errors import ConfigError

LATEST = "latest"

_RUNS = "runs"
# When a run was to start (UTC), and the end of its id in Prefect: `pipelines.run_labels.run_id`.
_RUN_ID = re.compile(r"(\d{8}-\d{6})-(\S+)")
_SHOWN = 5


@dataclass(frozen=True, order=True)
class RunName:
    """Which run of which pipeline; the order is that of time."""

    id: str
    pipeline: str

    def __str__(self) -> str:
        return f"{self.pipeline}/{self.id}"

    def folder(self, home: Path) -> Path:
        """Return the run's folder."""
        return home / _RUNS / self.pipeline / self.id

    def is_meant_by(self, text: str) -> bool:
        """Say whether a text is this run's id, its beginning or that of its last part, with or without the pipeline."""
        pipeline, named, run = text.rpartition("/")
        if named and pipeline != self.pipeline:
            return False
        found = _RUN_ID.fullmatch(self.id)
        return bool(run) and (self.id.startswith(run) or (found is not None and found[2].startswith(run)))


def run_names(home: Path, pipeline: str | None = None) -> list[RunName]:
    """Return the runs of a home, the newest first.

    Args:
        home: Headrace's home.
        pipeline: Only the runs of this one.

    Raises:
        ConfigError: There are no runs of such a pipeline.
    """
    pipelines = sorted(folder_names(home / _RUNS))
    if pipeline is not None:
        if pipeline not in pipelines:
            raise ConfigError(f"{home}: no runs of a pipeline {pipeline!r}{_nearest(pipeline, pipelines)}")
        pipelines = [pipeline]
    runs = (RunName(run, each) for each in pipelines for run in folder_names(home / _RUNS / each))
    return sorted((run for run in runs if _RUN_ID.fullmatch(run.id)), reverse=True)


def find_run(home: Path, text: str) -> RunName:
    """Return the run that is meant.

    Args:
        home: Headrace's home.
        text: `latest`, a pipeline's name for its latest run, a run's folder, or an id: its beginning or that of its
            last part is enough, and the pipeline's name may stand before it, as in `flights/2026`.

    Raises:
        ConfigError: No run is meant, or several are.
    """
    runs = run_names(home)
    if not runs:
        raise ConfigError(f"{home}: there are no runs\n  do: `headrace run CONFIG` makes one, or set HEADRACE_HOME")
    if text == LATEST:
        return runs[0]
    wanted = _without_folder(home, text)
    of_pipeline = [run for run in runs if run.pipeline == wanted]
    if of_pipeline:
        return of_pipeline[0]
    found = [run for run in runs if run.is_meant_by(wanted)]
    if len(found) == 1:
        return found[0]
    if exact := [run for run in found if wanted in {run.id, str(run)}]:
        found = exact
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"run {text!r} may be any of {len(found)}: {_some(found)}\n  do: name one with more letters")
    names = [name for run in runs for name in (run.id, str(run), run.pipeline)]
    raise ConfigError(
        f"{home}: no run {text!r}{_nearest(text, names)}\n  do: `headrace runs list` names those that there are"
    )


def _without_folder(home: Path, text: str) -> str:
    """Return `pipeline/id` where the text is a run's folder, as a run's last words name it."""
    wanted = text.rstrip("/")
    below = f"{home / _RUNS}/"
    if wanted.startswith(below):
        return wanted.removeprefix(below)
    if not is_remote(home) and Path(wanted).is_dir():
        return str(Path(wanted).absolute()).removeprefix(below)
    return wanted


def _nearest(text: str, names: Sequence[str]) -> str:
    near = get_close_matches(text, dict.fromkeys(names), 1, cutoff=0.4)
    return f"; did you mean `{near[0]}`?" if near else ""


def _some(runs: Iterable[RunName]) -> str:
    named = list(map(str, runs))
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more
