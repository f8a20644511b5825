"""`headrace contract`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.outcome import print_json, tell

if TYPE_CHECKING:
    from data_contracts.diff import Use
    from data_contracts.diff_change import Change

# Written out, so that help does not import the contracts; a test holds them to `data_contracts.diff_change`.
CONSEQUENCES = ("nothing", "revalidate", "refit", "retrain", "breaks-clients")
_REACHED = 3
_COLOURS = {"revalidate": "cyan", "refit": "yellow", "retrain": "magenta", "breaks-clients": "red"}
_LONGEST = 60


@click.group()
def command() -> None:
    """Compare two versions of a contract.

    \b
    Example:
      headrace contract diff flights-1.odcs.yaml flights-2.odcs.yaml
    """


@command.command()
@click.argument("old", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A pipeline's config: weigh changes by what is its target and what are its features.",
)
@click.option(
    "--fail-on",
    type=click.Choice(CONSEQUENCES),
    help="End with exit code 3 if a change has this consequence or a dearer one.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def diff(old: Path, new: Path, config: Path | None, fail_on: str | None, as_json: bool) -> None:
    """Say what changed from contract OLD to contract NEW, and what follows from it.

    Consequences, the cheapest first: nothing, revalidate, refit, retrain, breaks-clients (of the endpoint). Without
    --config every column is taken for one that a model may use.

    Exit codes: 0 whatever changed, 2 a file is wrong, 3 only with --fail-on, where a change reaches it.

    \b
    Example:
      headrace contract diff flights-1.odcs.yaml flights-2.odcs.yaml --fail-on breaks-clients
    """
    from data_contracts.diff import diff as compare
    from data_contracts.diff import worst
    from data_contracts.diff_change import MEANINGS
    from data_contracts.loader import load_contract

    changes = compare(load_contract(old), load_contract(new), None if config is None else _use(config))
    dearest = worst(changes)
    _show(changes, as_json=as_json)
    tell(f"{len(changes)} change{'' if len(changes) == 1 else 's'}; {dearest}: {MEANINGS[dearest]}")
    if as_json:
        listed = [change.model_dump(mode="json") for change in changes]
        print_json({"old": str(old), "new": str(new), "worst": dearest, "changes": listed})
    if fail_on is not None and changes and CONSEQUENCES.index(dearest) >= CONSEQUENCES.index(fail_on):
        click.echo(f"{dearest} reaches --fail-on {fail_on}", err=True)
        raise SystemExit(_REACHED)


def _use(path: Path) -> Use:
    from data_contracts.diff import Use
    from pipelines.config import load_config

    preprocess = load_config(path).preprocess
    return Use(targets=preprocess.targets, include=preprocess.include, exclude=preprocess.exclude)


def _show(changes: Sequence[Change], *, as_json: bool) -> None:
    """Print a table where somebody looks at a terminal, and plain lines where a program reads."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=as_json)
    if not console.is_terminal:
        for change in changes:
            tell(f"{change.consequence:<14} {change.path}: {change.kind}{_values(change)}: {change.why}")
        return
    if not changes:
        return
    table = Table("consequence", "what", "change", "why", show_lines=True)
    for change in changes:
        consequence = Text(change.consequence, style=_COLOURS.get(change.consequence, ""))
        table.add_row(consequence, Text(change.path), Text(f"{change.kind}{_values(change)}"), Text(change.why))
    console.print(table)


def _values(change: Change) -> str:
    """Say what was and what is; of a list what came and went, and of a whole column or rule that its name is enough."""
    before, after = change.before, change.after
    if isinstance(before, dict) or isinstance(after, dict):
        return ""
    if isinstance(before, list) and isinstance(after, list):
        gone, come = [each for each in before if each not in after], [each for each in after if each not in before]
        told = (("without", gone), ("with", come))
        return "".join(f", {word} {_short(values)}" for word, values in told if values)
    return f", {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
