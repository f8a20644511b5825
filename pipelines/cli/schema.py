"""`headrace schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file instead of printing it."
)
def command(out: Path | None) -> None:
    """Print the JSON Schema of pipeline configs, by which editors complete and check them.

    An editor that speaks to yaml-language-server takes it from the first line of a config:

    \b
      # yaml-language-server: $schema=pipeline.schema.json

    \b
    Example:
      headrace schema --out pipelines/configs/pipeline.schema.json
    """
    from pipelines.config_schema import config_schema

    text = json.dumps(config_schema(), indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    from tasks.errors import ConfigError
    from tasks.storage import write_atomic

    try:
        write_atomic(out, text.encode())
    except OSError as error:
        raise ConfigError(
            f"--out {out}: cannot be written: {error.strerror or error}\n  do: name a file that you may write"
        ) from error
    click.echo(f"wrote {out}; a config beside it begins with the line\n# yaml-language-server: $schema={out.name}")
