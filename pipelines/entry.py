"""Where `headrace` begins: Ctrl-C is quiet from the first line on, also while the command line is being imported."""

from __future__ import annotations

from pipelines.early_interrupt import be_quiet


def main() -> None:
    """Be the program `headrace`."""
    be_quiet()
    # Takes a tenth of a second, in which nothing is begun that would have to be ended.
    from pipelines.cli import main as command_line  # noqa: PLC0415

    command_line()
