"""`headrace keys`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import click

from pipelines.cli.outcome import print_json, tell
from serving.guard.key_file import Action, KeyEntry, add_key, read_keys, revoke_key
from tasks.errors import ConfigError

_FILE = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    default=Path("keys.json"),
    show_default=True,
    help="The key file.",
)


@click.group()
def command() -> None:
    """Add, list and revoke the API keys that the endpoint asks for.

    A running endpoint takes a change over within seconds. To rotate a key, add a second one, give it to the clients,
    and revoke the first.

    \b
    Example:
      headrace keys add mobile --models flight-delay --file keys.json
      headrace serve --keys keys.json
    """


@command.command()
@click.argument("name")
@click.option("--models", default="*", show_default=True, help="The models that it counts for, with commas between.")
@click.option(
    "--may",
    default="predict,describe",
    show_default=True,
    help=f"What it may be used for, of {', '.join(get_args(Action))}.",
)
@click.option("--expires", help="A date such as 2027-01-31, or a time from now such as 90d or 12h.  [never]")
@_FILE
def add(name: str, models: str, may: str, expires: str | None, file: Path) -> None:
    """Make a key called NAME and print it: it is shown this one time.

    \b
    Example:
      headrace keys add shop --models flight-delay --expires 2027-01-01
    """
    actions = [action for action in get_args(Action) if action in may.split(",")]
    unknown = sorted({*may.split(",")} - {*actions})
    if unknown:
        raise ConfigError(
            f"--may {may}: expected some of {', '.join(get_args(Action))}, got {unknown[0]!r}\n"
            "  do: name them with commas between and no spaces"
        )
    key = add_key(file, name, models.split(","), actions, _moment(expires) if expires else None)
    click.echo(key)
    click.echo(f"keep it now: {file} holds only its hash\nclients send `Authorization: Bearer KEY`", err=True)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
@_FILE
def list_keys(as_json: bool, file: Path) -> None:
    """List the keys of a file; their secrets are not in it.

    \b
    Example:
      headrace keys list
    """
    keys = read_keys(file)
    now = datetime.now(UTC)
    for key in keys:
        until = f"  expires {key.expires:%Y-%m-%d %H:%M}" if key.expires else ""
        ended = " (expired)" if key.expires and key.expires <= now else ""
        tell(f"{key.id}  models {', '.join(key.scopes)}  may {', '.join(key.may)}{until}{ended}")
    if not keys:
        click.echo(f"no keys in {file}: nobody is let in; `headrace keys add NAME` makes one", err=True)
    if as_json:
        print_json({"file": str(file), "keys": [_public(key) for key in keys]})


@command.command()
@click.argument("name")
@_FILE
def revoke(name: str, file: Path) -> None:
    """Revoke the key called NAME; the endpoint refuses it within seconds.

    \b
    Example:
      headrace keys revoke shop
    """
    revoke_key(file, name)
    click.echo(f"revoked {name}")


def _public(key: KeyEntry) -> dict[str, object]:
    return key.model_dump(mode="json", exclude={"sha256"})


def _moment(text: str) -> datetime:
    """Return when a key expires; a date ends with its day, in UTC.

    Raises:
        ConfigError: It is neither a date nor a time from now, or it is over.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        if span := re.fullmatch(r"(\d{1,5})([dh])", text):
            number = int(span[1])
            moment = now + (timedelta(days=number) if span[2] == "d" else timedelta(hours=number))
        else:
            moment = datetime.fromisoformat(text)
            moment += timedelta(days=1) if len(text) == len("2027-01-31") else timedelta()
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"--expires {text}: expected a date such as 2027-01-31, or a time from now such as 90d or 12h\n"
            "  do: write one of these, or leave it out"
        ) from error
    if moment <= now:
        raise ConfigError(f"--expires {text}: expected a time to come\n  do: write a later one, or leave it out")
    return moment
