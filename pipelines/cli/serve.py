"""`headrace serve`."""

from __future__ import annotations

from pathlib import Path

import click

from serving.bundle.errors import RemoteError
from tasks.errors import ConfigError
from tasks.storage import headrace_home


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="A YAML file of settings; see docs/serving-config.md.")
@click.option(
    "--store", metavar="PLACE", help="The model store, a folder or a URI such as s3://... [HEADRACE_HOME/models]."
)
@click.option("--host", help="The address to listen on.  [127.0.0.1]")
@click.option("--port", type=int, help="0 takes a free port.  [8080]")
@click.option("--keys", metavar="FILE", help="Ask for API keys: the file that `headrace keys` writes.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key of the config.")
def command(settings: tuple[str, ...], config: Path | None, **given: str | int | None) -> None:
    """Start the endpoint: every champion in the model store, over the Open Inference Protocol.

    \b
    Example:
      headrace serve --port 8080
      headrace serve --config serve.yaml --set limits.rate_per_second=50
    """
    from serving.config import ServeConfig
    from serving.config_file import load_config
    from serving.server import log_to_stderr, serve

    log_to_stderr()
    names = {"store": "store", "host": "host", "port": "port", "keys": "keys.file"}
    options = {key: (f"--{name}", given[name]) for name, key in names.items() if given[name] is not None}
    settled = load_config(ServeConfig, config, options, settings, defaults={"store": str(headrace_home() / "models")})
    if not settled.store.is_dir():
        raise ConfigError(
            f"{settled.store}: no model store there\n  do: make a model with `headrace run`, or name the store"
        )
    try:
        serve(settled)
    except RemoteError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise
        raise ConfigError(
            f"cannot serve on {settled.host}:{settled.port}: {error.strerror or error}\n"
            "  do: name a free port with --port (0 takes one), an address of this machine with --host, or stop the "
            "program that listens there"
        ) from error
