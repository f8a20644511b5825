"""What is asked of `headrace init`, and what it answers."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.errors import ConfigError
from tasks.storage import write_atomic

_LONGEST_NAME = 48


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        source: The file or folder, as it was written.
        targets: What is to be predicted; none to be told what could be.
        name: Of the pipeline and the model; by default made of the source's.
        out: The folder of both files; by default `pipelines/configs` and `data_contracts`, here.
        force: Files that are there may be replaced.
    """

    source: str
    targets: tuple[str, ...] = ()
    name: str | None = None
    out: Path | None = None
    force: bool = False


@dataclass(frozen=True)
class Started:
    """What was found and written.

    Attributes:
        name: Of the pipeline.
        files: What was written, the config last.
        found: One line that says how much there is.
        table: The columns, a row of short texts each, with its head first.
        problem: The problem, with the reason.
        assumed: What was guessed in reading the source.
        warnings: What a person should look at.
        facts: The same for programs.
    """

    name: str
    files: tuple[Path, ...]
    found: str
    table: Sequence[Sequence[str]]
    problem: str
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def pipeline_name(request: Request) -> str:
    """Return the pipeline's name: lower-case letters, digits, `-` and `_`.

    Raises:
        ConfigError: The name that was given is none.
    """
    if request.name is not None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", request.name):
            raise ConfigError(
                f"--name {request.name}: expected lower-case letters, digits, `-` and `_`, the first no sign\n"
                f"  do: write --name {_slug(request.name)}"
            )
        return request.name
    path = Path(request.source).absolute()
    return _slug(path.name if path.is_dir() else path.name.partition(".")[0] or path.name)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_NAME].strip("_") or "data"


def places(request: Request, name: str) -> tuple[Path, Path]:
    """Return where the contract and the config are to stand.

    Raises:
        ConfigError: One of them is there already, and may not be replaced, or their folder cannot be written to.
    """
    if request.out is not None:
        found = request.out / f"{name}.odcs.yaml", request.out / f"{name}.yaml"
    else:
        found = Path("data_contracts") / f"{name}.odcs.yaml", Path("pipelines/configs") / f"{name}.yaml"
    there = [str(path) for path in found if path.exists()]
    if there and not request.force:
        raise ConfigError(
            f"{' and '.join(there)}: there already; nothing was written\n"
            "  do: give the pipeline another --name, or replace what is there with --force"
        )
    for path in found:
        folder = next(each for each in (path.parent, *path.absolute().parents) if each.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ConfigError(f"{path}: {folder} cannot be written to\n  do: name another folder with --out")
    return found


def relative(path: str | Path, folder: Path) -> str:
    """Return a path from a folder, with forward slashes; a URI stays."""
    if "://" in str(path):
        return str(path)
    return Path(os.path.relpath(path, folder)).as_posix()


def write_all(texts: dict[Path, str]) -> None:
    """Write files, all or none: where one cannot be written, what stood at the others' places comes back.

    Raises:
        OSError: One cannot be written.
    """
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    written: list[Path] = []
    try:
        for path, text in texts.items():
            write_atomic(path, text.encode())
            written.append(path)
    except BaseException:
        for path in written:
            content = before[path]
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_atomic(path, content)
        raise
