"""The command line, `headrace`. Commands live one to a file and are imported when asked for, so `--help` is instant."""

from __future__ import annotations

import atexit
import sys
from gc import freeze
from importlib import import_module
from typing import Any

import click

from pipelines.cli.outcome import leave, report_failure, report_refusal
from pipelines.early_interrupt import be_usual

_COMMANDS = {
    "backfill": "Run a pipeline for partitions of the past, one after the other.",
    "check": "Say what is wrong in a config or its contract, and run nothing.",
    "completion": "Print the script that lets a shell complete commands and options.",
    "contract": "Compare two versions of a contract.",
    "deploy": "Register pipelines at the Prefect server, so that they run when their schedule says.",
    "doctor": "Say what this machine has and lacks for Headrace.",
    "drift": "Hold sampled traffic against what the model was trained on.",
    "gc": "Remove old runs and versions, and the data that nothing refers to any more.",
    "init": "Look at a dataset and write a contract and a config to start from.",
    "keys": "Add, list and revoke the endpoint's API keys.",
    "models": "List, show, promote and roll back the versions in the model store, and say which of them answer.",
    "report": "Open the report of a run, or print what it comes to.",
    "run": "Take a pipeline from its source to a promoted model.",
    "runs": "List, show and compare the runs of this home.",
    "samples": "Write a real example dataset.",
    "schema": "Print the JSON Schema of configs, by which editors complete and check them.",
    "search": "Try many values of a config's keys and write the best config.",
    "serve": "Start the endpoint over the model store.",
    "up": "Start Prefect, a worker and the endpoint as one group, and deploy pipelines.",
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and one-line help, and imports a command when it is called."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """See click; from here on it makes of Ctrl-C what `command_line` says in a sentence."""
        be_usual()
        return super().make_context(*args, **more)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"pipelines.cli.{cmd_name}").command
        # What was imported stays to the end, so that looking through it for garbage, then and before, finds none.
        freeze()
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace")
def headrace() -> None:
    """From raw tables to a trained, proven, served model.

    \b
    Example:
      headrace samples flights data/flights
      headrace run pipelines/configs/flights.yaml
      headrace serve

    Exit codes: 0 done, 2 the config, contract or arguments are wrong, 3 a gate refused or drift was found, 4 the data
    broke its contract beyond its threshold or leaks what is to be predicted, 1 anything unforeseen.
    """


def main() -> None:
    """Be the program `headrace`: run the command line, and end without taking each library apart, which takes seconds.

    What is registered to happen at exit has happened before.
    """
    ended: list[int] = []
    # Registered first, it is called last.
    atexit.register(lambda: leave(ended[0]) if ended else None)
    try:
        command_line()
    except SystemExit as asked:
        ended.extend([asked.code] if isinstance(asked.code, int) else [])
        raise
    ended.append(0)


def command_line() -> None:
    """Run the command line; errors that are the user's to mend end as a message and an exit code."""
    try:
        headrace(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as stop:
        if isinstance(stop.__cause__, EOFError):
            # click takes a file that ends too early for Ctrl-D; it is a defect, as any error that nobody named.
            raise stop.__cause__ from None
        click.echo("stopped; nothing half-written stays: run the same command again", err=True)
        sys.exit(130)
    except ValueError as error:
        code = report_failure(error, as_json="--json" in sys.argv)
        if type(error).__name__ == "ServerAwayError":
            # Prefect would try for minutes to send what it has for a server that is not there.
            leave(code)
        sys.exit(code)
    except (OSError, MemoryError, ImportError, RuntimeError, SystemError) as error:
        sys.exit(report_refusal(error, as_json="--json" in sys.argv))
