"""The flow `search`: trials until there are enough of them, then the best one's config."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, runtime

from pipelines.check import problems_of
from pipelines.config import PipelineConfig
from pipelines.flow import open_run, prepare
from pipelines.image_config import ImagePipelineConfig
from pipelines.interruption import go_on_record
from pipelines.run_log import run_log
from pipelines.run_state import Run
from pipelines.search import outcome
from pipelines.search.best import write_best
from pipelines.search.check import search_metric
from pipelines.search.config import SearchConfig
from pipelines.search.processes import beside
from pipelines.search.study import Place, Trials, place_of
from pipelines.search.trials import Asked, try_on
from pipelines.server_away import create_table_artifact
from tasks.engine import open_client
from tasks.errors import ConfigError
from tasks.retention.lock import at_work
from tasks.storage import digest_of, headrace_home

# What makes trials comparable is all but these: places, what comes after training, and how long and where is tried.
_NOT_COMPARED = frozenset(
    {
        "calibrate",
        "contract",
        "cross_validate",
        "dask",
        "evaluate",
        "explain",
        "model",
        "promote",
        "search",
        "source",
    }
)

_logger = logging.getLogger(__name__)


def _run_name() -> str:
    return f"{Path(runtime.flow_run.parameters['config_path']).stem}-search"


@flow(name="search", flow_run_name=_run_name)
def search(config_path: str, overrides: list[str], out: str) -> dict[str, Any]:
    """Search for a better config.

    The data half of the config as it stands is run first: it says whether the data is still that of the trials of
    earlier runs, and no process has to make again what no trial changes.

    Args:
        config_path: The pipeline's YAML file; its section `search` says what is tried.
        overrides: `key=value` settings applied over the file.
        out: Where the best trial's config is written.

    Returns:
        See `pipelines.search.outcome.summary`, with `config`, the file that was written.

    Raises:
        ConfigError: The config is wrong, it has no section `search`, or the storage cannot be used.
        TrainingError: No trial came to an end.
        ContractBrokenError: The data broke its contract beyond the threshold.
        LeakageError: A leak was found that the config does not accept.
    """
    go_on_record()
    with run_log(), at_work(headrace_home()):
        return _search(config_path, overrides, out)


def _search(config_path: str, overrides: list[str], out: str) -> dict[str, Any]:
    run = open_run(Path(config_path), overrides, ("searches", "config"))
    asked_for = run.config.search
    if asked_for is None:
        raise ConfigError(
            f"{config_path}: there is no section `search`\n"
            "  do: write such as `search: {space: {train.optimizer.learning_rate: {low: 1e-4, high: 1e-2, log: true}}}`"
        )
    until = None if asked_for.minutes is None else time.time() + 60 * asked_for.minutes
    with open_client(run.config.dask) as client:
        data, _ = prepare(run.on(client))
    metric = _metric(run, asked_for)
    place = _place(run, asked_for, data.raw.digest, metric)
    trials = Trials(place, asked_for, metric)
    again = trials.put_back_killed()
    if again:
        _logger.info("search     %d trials that were killed are tried again", again)
    _logger.info("search     %d trials are there of %s, in %s", len(trials.counted()), place.study, place.shown)
    asked = Asked(config_path, tuple(overrides), place, metric, until)
    with beside(asked, asked_for.parallel - 1):
        try_on(asked, trials)
    if trials.put_back_killed():
        try_on(asked, trials)
    found = outcome.summary(trials, metric)
    create_table_artifact(outcome.rows(found), key="trials", description=f"Trials by {metric} of the validation split")
    write_best(Path(config_path), overrides, found, Path(out))
    return {**found, "config": out}


@flow(name="search", flow_run_name="search-beside", validate_parameters=False)
def search_beside(asked: Asked, trials: Trials) -> None:
    """Try in a process that another search has started."""
    go_on_record()
    with run_log(), at_work(headrace_home()):
        try_on(asked, trials)


def _metric(run: Run, asked_for: SearchConfig) -> str:
    problem = problems_of(run.config, run.contract)[0]
    return search_metric(asked_for, run.config.train.selection.metric, problem)


def _place(run: Run, asked_for: SearchConfig, data: str, metric: str) -> Place:
    """Name the search by what makes its trials comparable, so that a changed config begins another one."""
    said = _compared(run.config)
    space = {key: values.model_dump(mode="json") for key, values in asked_for.space.items()}
    identity = digest_of([said, run.contract.digest, data, space, metric])
    name = run.config.name
    return place_of(asked_for, f"{name}-{identity[:8]}", run.home / "searches", name)


def _compared(config: PipelineConfig | ImagePipelineConfig) -> dict[str, Any]:
    said = config.model_dump(mode="json", by_alias=True, exclude=set(_NOT_COMPARED))
    if isinstance(config, ImagePipelineConfig):
        said["images"] = {key: value for key, value in said["images"].items() if key != "source"}
    return said


def shown(found: dict[str, Any]) -> Sequence[str]:
    """Return the last words of a search."""
    best = found["best"]
    lines = [f"best     trial {best['number']}: {found['metric']} {best['value']:.6g} on the validation split"]
    if found["importance"]:
        shares = ", ".join(f"{key} {share:.0%}" for key, share in found["importance"].items())
        lines.append(f"matters  {shares}")
    return [*lines, f"config   {found['config']}", f"next     headrace run {found['config']}"]
