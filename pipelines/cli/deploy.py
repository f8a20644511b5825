"""`headrace deploy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.outcome import print_json, tell

if TYPE_CHECKING:
    from pipelines.scheduling.deployments import Deployed, Pipeline, Target


@click.command()
@click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of every config.")
@click.option("--pool", default="headrace", show_default=True, metavar="NAME", help="The work pool that runs them.")
@click.option("--work-dir", metavar="DIR", help="The runs' folder on the workers' machines.  [this one]")
@click.option("--python", metavar="PATH", help="The Python that runs them there.  [this one]")
@click.option("--dry-run", is_flag=True, help="Check and say what would be registered; ask no server.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(
    configs: tuple[Path, ...], overrides: tuple[str, ...], dry_run: bool, as_json: bool, **where: str | None
) -> None:
    """Register the pipelines CONFIGS at the Prefect server, so that they run when their `schedule` says.

    Run again after a change of a config; what did not change stays as it is. A worker runs them: `headrace up`, or
    `prefect worker start --pool headrace`. Where that is on another machine, see docs/growing/work-pools.md.

    \b
    Example:
      headrace deploy pipelines/configs/flights.yaml
      headrace deploy pipelines/configs/*.yaml --dry-run
    """
    from pipelines import environment

    environment.prepare()
    from pipelines.scheduling.deployments import deploy, plan

    target = _target(**where)
    if dry_run:
        planned = plan(configs, overrides, target)
        for each in planned:
            _show_plan(each)
        if as_json:
            print_json({"status": "dry run", "deployments": [_planned(each) for each in planned]})
        return
    if target.folder == Path.cwd():
        environment.require_home()
    found = deploy(configs, overrides, target)
    for deployed in found:
        _show(deployed)
    click.echo(f"run      prefect worker start --pool {target.pool} --type process", err=True)
    if as_json:
        print_json({"status": "deployed", "pool": target.pool, "deployments": [_told(each) for each in found]})


def _target(pool: str | None = None, work_dir: str | None = None, python: str | None = None) -> Target:
    from pipelines.scheduling.deployments import POOL, Target

    return Target(pool or POOL, Path(work_dir or Path.cwd()), python or sys.executable)


def _show_plan(pipeline: Pipeline) -> None:
    tell(f"{pipeline.run.flow.name}/{pipeline.run.name} would be registered")
    for schedule in pipeline.run.schedules:
        tell(f"  schedule {schedule}")
    for time in pipeline.fire_times():
        tell(f"  next     {time:%Y-%m-%d %H:%M %Z}")


def _show(deployed: Deployed) -> None:
    tell(f"{deployed.name} {deployed.change}")
    for time in deployed.fire_times:
        tell(f"  next     {time:%Y-%m-%d %H:%M %Z}")
    if not deployed.fire_times:
        tell("  next     not by itself; start it in the UI")
    for note in deployed.notes:
        tell(f"  note     {note}")
    tell(f"  UI       {deployed.url}")


def _planned(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": f"{pipeline.run.flow.name}/{pipeline.run.name}",
        "model": pipeline.config.model,
        "next": [time.isoformat() for time in pipeline.fire_times()],
        "watch": None if pipeline.watch is None else f"{pipeline.watch.flow.name}/{pipeline.watch.name}",
    }


def _told(deployed: Deployed) -> dict[str, Any]:
    return {
        "name": deployed.name,
        "model": deployed.model,
        "id": str(deployed.deployment_id),
        "url": deployed.url,
        "watch": None if deployed.watch_id is None else str(deployed.watch_id),
        "change": deployed.change,
        "next": [time.isoformat() for time in deployed.fire_times],
        "notes": list(deployed.notes),
    }
