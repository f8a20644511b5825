"""`headrace serve`."""

from __future__ import annotations

import click

from serving.bundle.errors import RemoteError
from tasks.errors import ConfigError
from tasks.storage import headrace_home, place


@click.command()
@click.option(
    "--store", metavar="PLACE", help="The model store, a folder or a URI such as s3://... [HEADRACE_HOME/models]."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, help="0 takes a free port.")
def command(store: str | None, host: str, port: int) -> None:
    """Start the endpoint: every champion in the model store, over the Open Inference Protocol.

    \b
    Example:
      headrace serve --port 8080
    """
    import logging

    from serving.config import ServeConfig
    from serving.server import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = place(store) if store else headrace_home() / "models"
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no model store there\n  do: make a model with `headrace run`, or name the store")
    try:
        serve(ServeConfig(store=folder, host=host, port=port))
    except RemoteError:
        raise
    except OSError as error:
        raise ConfigError(f"--port {port}: cannot listen on {host}: {error}\n  do: name a free port") from error
