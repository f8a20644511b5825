"""How a program reads its arguments, by its own code and without a run."""

from __future__ import annotations

import argparse
import runpy
import sys
import warnings
from collections.abc import Sequence
from unittest.mock import patch

import click


class WrongCommandError(ValueError):
    """A command line that its program would refuse."""


class _Parsed(Exception):
    pass


def parse_click(command: click.Command, words: Sequence[str]) -> click.Context:
    """Return the context of the command that these words name, its arguments read and checked.

    Raises:
        click.ClickException: There is no such command, option or argument.
    """
    # Whether a file is there is for the run to say.
    with patch.object(click.Path, "convert", lambda self, value, param, ctx: value):
        context = command.make_context(command.name, list(words))
        while isinstance(context.command, click.Group):
            rest = [*context._protected_args, *context.args]
            name, inner, rest = context.command.resolve_command(context, rest)
            assert inner is not None
            context = inner.make_context(name, rest, parent=context)
    return context


def parse_of_module(module: str, arguments: list[str]) -> None:
    """Run a module up to where its `argparse` has read these arguments.

    Raises:
        WrongCommandError: There is no such module, or it refuses them.
    """
    read = argparse.ArgumentParser.parse_args

    def stop(*given: object, **named: object) -> None:
        read(*given, **named)  # type: ignore[arg-type]
        raise _Parsed

    argv = patch.object(sys, "argv", [module, *arguments])
    with patch.object(argparse.ArgumentParser, "parse_args", stop), argv, warnings.catch_warnings():
        # It may have been imported before; its main is run anew.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=False)
        except _Parsed:
            return
        except (SystemExit, ImportError) as error:
            raise WrongCommandError(f"python -m {module}: {error}") from error
    raise WrongCommandError(f"python -m {module}: it read no arguments")
