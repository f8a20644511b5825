"""`headrace up`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("configs", nargs=-1, metavar="[CONFIG]...", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of every CONFIG.")
@click.option("--host", help="Where the endpoint listens.  [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="The endpoint's port; 0 takes a free one.  [8080]")
@click.option(
    "--prefect-host", default="127.0.0.1", show_default=True, help="Where Prefect's server listens; it has no login."
)
@click.option(
    "--prefect-port",
    type=click.IntRange(0, 65535),
    default=4200,
    show_default=True,
    help="Prefect's port; 0 takes a free one.",
)
@click.option(
    "--serve-config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A YAML file of the endpoint's settings; see docs/serving-config.md.",
)
@click.option("--limit", type=click.IntRange(min=1), help="The most runs at once.  [any number]")
@click.option("--no-serve", is_flag=True, help="Start no endpoint.")
@click.option("--no-worker", is_flag=True, help="Start no worker; nothing that is due runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one machine-readable object once all are ready.")
def command(
    configs: tuple[Path, ...], overrides: tuple[str, ...], as_json: bool, **options: str | int | Path | None
) -> None:
    """Start Prefect's server, a worker and the endpoint on this machine, and deploy the pipelines CONFIG.

    They start, run and stop as one group. What ends by itself is started again. Ctrl-C or SIGTERM stops all; a second
    one at once. Where Prefect is set up for a server already, that one is used and none is started.

    \b
    Example:
      headrace up pipelines/configs/flights.yaml
      headrace up --port 0 --prefect-port 0 --json
    """
    from pipelines.up.command import Asked, up

    up(Asked(configs=configs, overrides=overrides, as_json=as_json, **options))  # type: ignore[arg-type]
