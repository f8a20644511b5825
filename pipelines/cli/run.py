"""`headrace run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pipelines.cli.outcome import print_json


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
@click.option("--partition", metavar="NAME", help="Run on this part of the data, such as 2013-05.")
@click.option("--query", is_flag=True, help="Afterwards start the endpoint, ask it once, and stop it.")
@click.option("--quiet", is_flag=True, help="Print errors and the verdict only.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(
    config: Path, overrides: tuple[str, ...], partition: str | None, query: bool, quiet: bool, as_json: bool
) -> None:
    """Take the pipeline CONFIG from its source to a promoted model.

    What an earlier run finished with the same data, config and code is reused; a run that was killed goes on where it
    stopped.

    \b
    Example:
      headrace run pipelines/configs/flights.yaml
      headrace run pipelines/configs/flights.yaml --set train.seed=1 --quiet
    """
    from pipelines import environment

    environment.prepare()
    environment.require_prefect_home()
    from pipelines.embedded_server import start_embedded_server

    # Its start takes as long as the imports below.
    server = start_embedded_server()
    from pipelines.check import check_pipeline
    from pipelines.cli.console import say, watching
    from pipelines.cli.stopping import stoppable

    check_pipeline(config, overrides, partition)
    environment.require_home()
    with stoppable(), watching(quiet=quiet):
        from pipelines.flow import data_to_deployment
        from pipelines.server_away import naming_server

        if server is not None:
            server.wait_until_ready()
        with naming_server():
            summary = data_to_deployment(str(config), list(overrides), partition)
    if query:
        from pipelines.query import ask_endpoint
        from tasks.storage import place

        ask_endpoint(place(summary["run"]), say)
    say(_verdict(summary))
    for line in () if quiet else _last_words(summary):
        say(line)
    if as_json:
        print_json(summary)


def _verdict(summary: Mapping[str, Any]) -> str:
    name = summary["headline"]
    if summary["unchanged"]:
        said = f"nothing new: this run made the bundle that is the champion already, version {summary['version']}"
    else:
        said = f"promoted: {summary['model']} version {summary['version']} is the champion"
    return f"outcome  {said}; {name} {summary['metrics'][name]:.4f}"


def _last_words(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "metrics  " + ", ".join(f"{name} {value:.4f}" for name, value in summary["metrics"].items())
    yield f"report   {summary['report']}   (headrace report opens it)"
    yield "watch    headrace up   (Prefect's page with the next runs, a worker and the endpoint)"
    yield f"serve    headrace serve   (model {summary['model']}, version {summary['version']})"
