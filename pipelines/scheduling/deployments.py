"""Deployments: configs registered at the Prefect server, so that they run by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect.utilities.urls import url_for

from data_contracts.yaml_lines import read_yaml
from pipelines.automation.sync import sync
from pipelines.check import check_pipeline
from pipelines.config import PipelineConfig, apply_override, load_pipeline
from pipelines.flow import data_to_deployment
from pipelines.image_config import ImagePipelineConfig
from pipelines.scheduling.config import overlap_of
from pipelines.scheduling.deployed import Deployed
from pipelines.scheduling.description import describe
from pipelines.scheduling.fire_times import fire_times
from pipelines.scheduling.planned import POOL, Planned, Target
from pipelines.scheduling.pool import make_pool
from pipelines.scheduling.registering import register, remove
from pipelines.scheduling.renamed import OURS, left_behind
from pipelines.scheduling.server import connected
from pipelines.watch.deployment import watch_deployment
from pipelines.watch.flow import drift_watch
from tasks.errors import ConfigError
from tasks.storage import digest_of

__all__ = ["POOL", "Deployed", "Target", "deploy", "plan"]

ENTRYPOINT = "pipelines.flow.data_to_deployment"
_TIMES_SHOWN = 3


@dataclass(frozen=True)
class Pipeline:
    """A config that was checked, and its deployments as planned.

    Attributes:
        run: The deployment of its runs.
        watch: That of its drift watch, if it has one.
    """

    config: PipelineConfig | ImagePipelineConfig
    run: Planned
    watch: Planned | None

    def fire_times(self) -> list[datetime]:
        """Return the next few times of its schedules, each in its schedule's zone."""
        return fire_times(self.run.schedules, datetime.now(UTC), _TIMES_SHOWN)


def plan(paths: Sequence[Path], overrides: Sequence[str], target: Target) -> list[Pipeline]:
    """Check configs and plan their deployments; nothing is registered.

    Raises:
        ConfigError: A config is wrong, or two of them have one name.
        ContractError: A contract is wrong.
    """
    _require_no_secret(overrides)
    for path in paths:
        check_pipeline(path, overrides)
    pipelines = [_planned(path.absolute(), overrides, target.path_of(path)) for path in paths]
    names = Counter(each.config.name for each in pipelines)
    if twice := [name for name, number in names.items() if number > 1]:
        raise ConfigError(
            f"two configs have the name `{twice[0]}`, and a deployment is found by its name\n"
            "  do: give each config a `name` of its own"
        )
    return pipelines


def deploy(paths: Sequence[Path], overrides: Sequence[str], target: Target) -> list[Deployed]:
    """Register pipelines at the configured Prefect server, with their drift watches and automations.

    Doing it again changes nothing; what is no longer in a config goes at the server too.

    Args:
        paths: The configs.
        overrides: `key=value` settings applied over each; runs have them as their parameter.
        target: Where the runs are to happen.

    Raises:
        ConfigError: A config is wrong, or no server is configured, or the pool starts no processes.
        ContractError: A contract is wrong.
        PrefectServerError: The server does not answer, or refuses something.
    """
    pipelines = plan(paths, overrides, target)
    with connected() as client:
        make_pool(client, target.pool)
        found = []
        names = {each.run.name for each in pipelines}
        for each in pipelines:
            run = register(client, each.run, target)
            if each.watch is None:
                remove(client, f"{drift_watch.name}/{each.run.name}")
            watch = None if each.watch is None else register(client, each.watch, target)
            deployed = Deployed(
                name=f"{data_to_deployment.name}/{each.run.name}",
                pipeline=each.config.name,
                model=each.config.model,
                deployment_id=run.id,
                url=url_for("deployment", run.id) or "",
                watch_id=None if watch is None else watch.id,
                change=run.change,
                fire_times=tuple(fire_times(run.firing, datetime.now(UTC), _TIMES_SHOWN)),
                notes=(*run.notes, *left_behind(client, each.run, names)),
            )
            sync(each.config, deployed)
            found.append(deployed)
    return found


def _require_no_secret(overrides: Sequence[str]) -> None:
    for override in overrides:
        key, _, value = override.partition("=")
        if key.partition(".")[0] == "notify" and "://" in value:
            raise ConfigError(
                f"--set {key}=...: settings stand in every run's parameters, and a receiver's URL lets anybody post\n"
                "  do: write env:VARIABLE or block:NAME in its place"
            )


def _planned(path: Path, overrides: Sequence[str], for_jobs: Path) -> Pipeline:
    config = load_pipeline(path, overrides)
    parameters = {"config_path": str(for_jobs), "overrides": list(overrides), "partition": None}
    run = Planned(
        flow=data_to_deployment,
        entrypoint=ENTRYPOINT,
        name=config.name,
        description=describe(config, for_jobs, _source(path, overrides)),
        tags=(OURS, f"pipeline:{config.name}", f"model:{config.model}"),
        parameters=parameters,
        schedules=config.schedule,
        overlap=overlap_of(config.schedule),
        version=digest_of(config.model_dump(mode="json", by_alias=True))[:12],
    )
    return Pipeline(config, run, watch_deployment(config, for_jobs, overrides))


def _source(path: Path, overrides: Sequence[str]) -> str:
    """Return where the data is, as it stands in the file, with `{partition}` in it."""
    value = read_yaml(path).value
    for override in overrides:
        apply_override(value, override)
    return str(value.get("images", value)["source"]["path"])
