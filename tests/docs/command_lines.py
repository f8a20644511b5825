"""Whether a command line can be: its program is known, and takes these options and arguments. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

import click

from pipelines.cli import headrace
from tests.docs.other_programs import OTHERS, SYSTEM
from tests.docs.reading_arguments import WrongCommandError, parse_click, parse_of_module
from tests.docs.statements import simple_commands

_MODULES = ("serving", "pipelines", "tasks.", "benchmarks.", "tests.", "http.server")


def require_possible(statement: str) -> None:
    """Let each program of a statement read its arguments, as far as that needs no run.

    Raises:
        WrongCommandError: A program is unknown, or does not know an option or takes other arguments.
    """
    for words in simple_commands(statement):
        program = PurePosixPath(words[0]).name
        try:
            if program not in SYSTEM:
                _checker(program)(words[1:])
        except click.ClickException as error:
            raise WrongCommandError(f"{' '.join(words)}: {error.format_message()}") from error
        except WrongCommandError as error:
            raise WrongCommandError(f"{' '.join(words)}: {error}") from error


def _checker(program: str) -> Callable[[list[str]], object]:
    known = {**OTHERS, "headrace": parse_headrace}
    if program.startswith("python"):
        return _python
    if program not in known:
        raise WrongCommandError("an unknown program; if it is meant, add it to tests/docs/other_programs.py")
    return known[program]


def parse_headrace(words: Sequence[str]) -> click.Context:
    """Return the context of the command that these words name, its arguments read and checked.

    Raises:
        click.ClickException: There is no such command, option or argument.
    """
    return parse_click(headrace, words)


def _python(words: list[str]) -> None:
    if not words or words[0] != "-m":
        if words[:1] == ["-c"]:
            compile(words[1], "-c", "exec")
            return
        raise WrongCommandError("expected `python -m MODULE` or `python -c CODE`")
    module, arguments = words[1], words[2:]
    if module == "venv":
        return
    if not module.startswith(_MODULES):
        raise WrongCommandError(f"`{module}` is no module of the project")
    parse_of_module(module, arguments)


def spoken(text: str) -> Iterator[str]:
    """Yield the commands that a text names in passing, `headrace run CONFIG` and the like."""
    for code in re.findall(r"`(headrace [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        yield " ".join(code.split())


def require_known(code: str) -> None:
    """Check that a command named in passing is one, and has the options that stand there; arguments may be left out.

    Raises:
        WrongCommandError: There is no such command or option.
    """
    command: click.Command = headrace
    context = click.Context(headrace)
    words = code.replace("[", " ").replace("]", " ").split()[1:]
    for word in words:
        if isinstance(command, click.Group) and re.fullmatch(r"[a-z]+", word):
            found = command.get_command(context, word)
            if found is None:
                raise WrongCommandError(f"{code}: there is no command {word!r}")
            command = found
        elif word.startswith("--"):
            options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
            if word.partition("=")[0] not in {*options, "--help", "--version"}:
                raise WrongCommandError(f"{code}: {command.name} has no option {word}; it has {sorted(options)}")
