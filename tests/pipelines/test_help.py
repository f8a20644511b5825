"""What every command of the command line says of itself, and what a shell completes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from pipelines.cli import headrace


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield a command and all below it, by the words that call it."""
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, click.Context(below, info_name=name, parent=context))


EVERY = list(commands(headrace, click.Context(headrace, info_name="headrace")))


@pytest.mark.parametrize("words", [words for words, _, _ in EVERY])
def test_every_command_has_help_with_an_example_of_itself(words: str) -> None:
    command, context = next((command, context) for each, command, context in EVERY if each == words)
    help_text = command.get_help(context)
    assert re.search(rf"{words}\s", help_text.split("Example:")[1])
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    assert all(option.help for option in options)


def test_one_line_of_help_for_each_command_of_the_list() -> None:
    listed = CliRunner().invoke(headrace, ["--help"]).output
    for words, command, context in EVERY:
        if words.count(" ") == 1:
            assert f"  {words.split()[1]} " in listed
            assert command.get_help(context)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["ru"], {"run", "runs"}),
        (["runs", ""], {"compare", "list", "show"}),
        (["run", "x.yaml", "--qu"], {"--query", "--quiet"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_words_are_completed(words: list[str], completed: set[str]) -> None:
    *before, begun = words
    shell = ShellComplete(headrace, {}, "headrace", "_HEADRACE_COMPLETE")
    assert {item.value for item in shell.get_completions(before, begun)} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_for_this_program(shell: str) -> None:
    done = CliRunner().invoke(headrace, ["completion", shell])
    assert done.exit_code == 0
    assert f"_HEADRACE_COMPLETE={shell}_complete" in done.output


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_it(tmp_path: Path) -> None:
    program = tmp_path / "headrace"
    program.write_text(f"#!{sys.executable}\nfrom pipelines.cli import main\nmain()\n")
    program.chmod(0o755)
    (tmp_path / "script").write_text(CliRunner().invoke(headrace, ["completion", "bash"]).output)
    asked = (
        f"source {tmp_path / 'script'}; COMP_WORDS=(headrace runs co); COMP_CWORD=2; "
        'COMP_LINE="headrace runs co"; _headrace_completion headrace; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["compare"], done.stderr
