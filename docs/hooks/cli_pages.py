"""The reference of the command line: the `--help` of every command, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipelines.cli import headrace

_COLUMNS = 100
_INTRO = """\
What `--help` says of every command, as this version prints it. `headrace completion` lets a shell complete them.

| exit code | means |
|---|---|
| 0 | done |
| 1 | something unforeseen |
| 2 | the config, the contract or the arguments are wrong |
| 3 | a gate refused, or drift was found |
| 4 | the data broke its contract beyond its threshold, or leaks what is to be predicted |
"""


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """Yield the contexts of a command and of all commands below it, in the order of their names."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, _context(below, name, context))


def cli_page() -> str:
    """Return the page in Markdown, with a section for each command."""
    parts = ["# Command line", _INTRO]
    for context in commands(headrace, _context(headrace, "headrace", None)):
        words = context.command_path
        parts.append(f"## {words} {{ #{words.replace(' ', '-')} }}\n\n```text\n{context.get_help()}\n```")
    return "\n\n".join(parts) + "\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=_COLUMNS, max_content_width=_COLUMNS)
