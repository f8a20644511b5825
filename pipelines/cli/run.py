"""`headrace run`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.outcome import print_json


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--query", is_flag=True, help="Afterwards start the endpoint, ask it once, and stop it.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(config: Path, overrides: tuple[str, ...], query: bool, as_json: bool) -> None:
    """Take the pipeline CONFIG from its source to a promoted model.

    What an earlier run finished with the same data, config and code is reused; a run that was killed goes on where it
    stopped.

    \b
    Example:
      headrace run pipelines/configs/flights.yaml --set train.seed=1
    """
    from pipelines import environment

    environment.prepare()
    from pipelines.check import check_pipeline
    from pipelines.cli.console import say, watching

    check_pipeline(config, overrides)
    environment.require_home()
    with watching():
        from pipelines.flow import data_to_deployment

        summary = data_to_deployment(str(config), list(overrides))
    if query:
        from pipelines.query import ask_endpoint
        from tasks.storage import place

        ask_endpoint(place(summary["run"]), say)
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in summary["metrics"].items())
    say(f"metrics  {metrics}")
    say(f"report   {summary['report']}")
    say("watch    .venv/bin/prefect server start, then http://127.0.0.1:4200 shows this run and the next")
    say(f"serve    headrace serve   (model {summary['model']}, version {summary['version']})")
    if as_json:
        print_json(summary)
