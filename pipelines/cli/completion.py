"""`headrace completion`."""

from __future__ import annotations

import click

_VARIABLE = "_HEADRACE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that lets SHELL complete commands and options; the shell reads it when it starts.

    \b
    Example:
      headrace completion bash > ~/.local/share/bash-completion/completions/headrace
      headrace completion zsh > ~/.zfunc/_headrace       (a folder in $fpath)
      headrace completion fish > ~/.config/fish/completions/headrace.fish
    """
    from click.shell_completion import get_completion_class

    from pipelines.cli import headrace

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(headrace, {}, "headrace", _VARIABLE).source())
