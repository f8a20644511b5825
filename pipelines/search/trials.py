"""One trial after the other: a config with other values, its data half and its training, each a Prefect task."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from prefect import Task
from prefect.cache_policies import NO_CACHE

from pipelines.config import load_pipeline
from pipelines.flow import open_run, prepare
from pipelines.modelling import train_model
from pipelines.search.config import as_override
from pipelines.search.study import REFUSED, Place, Trials, settings_of
from tasks.engine import Client, open_client
from tasks.errors import ConfigError, TrainingError
from tasks.models.checkpoint import read_description, read_history
from tasks.progress import reading
from tasks.references import CheckpointRef

# Models that are made of several trainings, whose rounds are not rounds of the whole.
_COMBINED = frozenset({"auto", "blend"})
_REPEATING = ("pipelines.pieces", "tasks.leakage.check")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a process that tries is told.

    Attributes:
        config: The config's file.
        overrides: Settings for every trial.
        place: Where the trials are kept.
        metric: What is judged.
        until: Seconds since 1970 after which no trial begins, or None.
    """

    config: str
    overrides: Sequence[str]
    place: Place
    metric: str
    until: float | None


class Pruning:
    """Hears of every round of a training, and ends it where the others were better by then."""

    def __init__(self, trial: optuna.trial.Trial, metric: str, model: str) -> None:
        """Take the trial, the name of the metric that it is judged by, and that of its model."""
        self._trial = trial
        self._metric = metric
        self._combined = model in _COMBINED

    def __call__(self, label: str, values: Mapping[str, float]) -> None:
        """See `tasks.progress.Reader`.

        Raises:
            TrialPruned: The trial has no prospect.
        """
        if label != "round" or self._combined:
            return
        number = int(values["round"])
        self._trial.report(values[self._metric], number)
        if self._trial.should_prune():
            raise optuna.TrialPruned(f"after round {number}")


def try_on(asked: Asked, trials: Trials) -> None:
    """Try until there are enough trials, or it is too late; called inside a flow.

    A trial that the config or the training refuses counts, and the search goes on; whatever else goes wrong ends the
    search, and the trial under way is put back.

    Raises:
        ContractBrokenError: The data broke its contract beyond the threshold.
        LeakageError: A leak was found that the config does not accept.
        DataError: The source cannot be read.
    """
    with open_client(load_pipeline(Path(asked.config), asked.overrides).dask) as client:
        while asked.until is None or time.time() < asked.until:
            trial = trials.claim()
            if trial is None:
                return
            ended = False
            try:
                _try(asked, trials, trial, client)
                ended = True
            finally:
                if not ended:
                    trials.put_back(trial.number)


def _try(asked: Asked, trials: Trials, trial: optuna.trial.Trial, client: Client) -> None:
    def value_of(number: int, settings: dict[str, Any]) -> float | None:
        overrides = [*asked.overrides, *(as_override(*each) for each in settings.items())]
        run = open_run(Path(asked.config), overrides, ("searches", f"{asked.place.study}-{number:04d}")).on(client)
        data, _ = prepare(run)
        try:
            with reading(Pruning(trial, asked.metric, run.config.train.model.name)):
                return objective(train_model(run, data), asked.metric)
        except optuna.TrialPruned:
            return None

    # The task's arguments are what a person wants to see of it.
    task: Task[..., float | None] = Task(
        value_of, name="trial", task_run_name="trial-{number}", cache_policy=NO_CACHE, persist_result=False
    )
    settings = settings_of(trial, trials.search)
    began = time.perf_counter()
    with _told_once():
        try:
            value = task(trial.number, settings)
        except (ConfigError, TrainingError) as error:
            trial.set_user_attr(REFUSED, str(error))
            trials.study.tell(trial, state=TrialState.FAIL)
            said = f"refused: {str(error).splitlines()[0]}"
        else:
            trials.study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)
            said = "ended early" if value is None else f"{asked.metric} {value:.6g}"
    shown = ", ".join(f"{key} {_short(value)}" for key, value in settings.items())
    _logger.info("trial %-4d %s  (%s)  %.1f s", trial.number, said, shown, time.perf_counter() - began)


def objective(checkpoint: CheckpointRef, metric: str) -> float:
    """Return a metric of the validation split at the round whose model was kept."""
    return float(read_history(checkpoint)[read_description(checkpoint).best_round - 1][metric])


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextmanager
def _told_once() -> Iterator[None]:
    """Leave out what the first data half of the search has said already: ingest's line, findings, what is reused."""

    def is_new(record: logging.LogRecord) -> bool:
        said = record.getMessage()
        return not said.startswith(("ingest", "leakage")) and not said.endswith("reused")

    repeating = [logging.getLogger(name) for name in _REPEATING]
    for logger in repeating:
        logger.addFilter(is_new)
    try:
        yield
    finally:
        for logger in repeating:
            logger.removeFilter(is_new)
