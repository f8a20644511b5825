"""The programs of others that pages name: each reads its arguments by its own code, and is imported only then."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping

import click

from tests.docs.blocks import ROOT
from tests.docs.reading_arguments import WrongCommandError, parse_click, parse_of_module

# Programs of the system, whose options are theirs.
SYSTEM = frozenset(
    {"cat", "cd", "cp", "curl", "docker", "echo", "export", "for", "git", "head", "kubectl", "ls", "mkdir", "mv"}
    | {"pg_dump", "pg_restore", "pytest", "rm", "sed", "set", "source", "systemctl", "tail", "test", "torchrun"}
)
_PREFECT_FLAGS = {"--no-prompt", "--prompt"}


def _make(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    if unknown := [word for word in words if word not in targets]:
        raise WrongCommandError(f"the Makefile has no target {unknown[0]!r}")


def _pip(words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        asked = re.fullmatch(r"(?:headrace|\.)\[([\w,]+)\]", word)
        if asked and (unknown := set(asked[1].split(",")) - set(extras)):
            raise WrongCommandError(f"there is no extra {unknown.pop()!r}; there are {', '.join(extras)}")


def _prefect(words: list[str]) -> None:
    from cyclopts.exceptions import CycloptsError  # noqa: PLC0415
    from prefect.cli._app import _app  # noqa: PLC0415

    try:
        _app.parse_args([word for word in words if word not in _PREFECT_FLAGS], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise WrongCommandError(str(error)) from error


def _dask(words: list[str]) -> None:
    from distributed.cli import dask_scheduler, dask_worker  # noqa: PLC0415

    parse_click(click.Group("dask", {"scheduler": dask_scheduler.main, "worker": dask_worker.main}), words)


def _moto(words: list[str]) -> None:
    parse_of_module("moto.server", words)


def _uvicorn(words: list[str]) -> None:
    from uvicorn.main import main  # noqa: PLC0415

    parse_click(main, words)


def _schemathesis(words: list[str]) -> None:
    from schemathesis.cli import schemathesis  # noqa: PLC0415

    parse_click(schemathesis, words)


OTHERS: Mapping[str, Callable[[list[str]], object]] = {
    "dask": _dask,
    "make": _make,
    "moto_server": _moto,
    "pip": _pip,
    "prefect": _prefect,
    "schemathesis": _schemathesis,
    "uvicorn": _uvicorn,
}
