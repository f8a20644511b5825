"""A store that holds what nobody would write: what is wrong is refused, and everything else is served."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.manifest import MANIFEST
from serving.bundle.read import digest_of_document
from serving.bundle.store import ModelStore
from serving.models.served import ServedModels
from tests.serving.bundles import promote


def another(folder: Path, make: Callable[[Path], object], name: str = "champion") -> None:
    """Put something else in the place of a pointer."""
    path = folder / name
    path.unlink(missing_ok=True)
    make(path)


def column(folder: Path, number: int, **changes: Any) -> None:
    """Change an input of a bundle, with all digests as they must be."""
    file, pointer = folder / "1" / MANIFEST, folder / "champion"
    manifest, champion = json.loads(file.read_text()), json.loads(pointer.read_text())
    manifest["inputs"][number] |= changes
    manifest["digest"] = champion["digest"] = digest_of_document(manifest)
    file.write_text(json.dumps(manifest))
    pointer.write_text(json.dumps(champion))


SPOILED: dict[str, Callable[[Path], object]] = {
    "a folder": lambda folder: another(folder, Path.mkdir),
    "a circle": lambda folder: another(folder, lambda path: path.symlink_to(path)),
    "huge": lambda folder: os.truncate(folder / "champion", 1 << 40),
    "no JSON": lambda folder: (folder / "champion").write_bytes(b"\xff\0{"),
    "another model's": lambda folder: (folder / "champion").write_text('{"version": "../good/1", "digest": ""}'),
    "a date form": lambda folder: column(folder, 5, date_forms=[{"written": "x", "pattern": "("}]),
    "a zone": lambda folder: column(folder, 5, zone="../../etc/passwd"),
    "an enum": lambda folder: column(folder, 0, rules=[{"id": "x", "kind": "enum", "argument": 5}]),
    "a length": lambda folder: column(folder, 0, rules=[{"id": "x", "kind": "min_length", "argument": "1e400"}]),
    "lookahead": lambda folder: column(folder, 0, rules=[{"id": "x", "kind": "pattern", "argument": "(?=x)"}]),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_is_wrong_is_refused_and_the_rest_is_served(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    promote(tmp_path, name="bad")
    promote(tmp_path, name="good")
    spoil(tmp_path / "bad")
    served = ServedModels(ModelStore(tmp_path), 10)
    try:
        served.refresh()
        assert list(served.loaded) == ["good"]
        assert list(served.refused) == ["bad"]
        assert not served.ready
    finally:
        served.close()


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path)], ids=["folder", "circle"])
def test_a_plan_that_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    promote(tmp_path, name="small")
    another(tmp_path / "small", make, "traffic")
    served = ServedModels(ModelStore(tmp_path), 10)
    try:
        served.refresh()
        assert list(served.loaded) == ["small"]
    finally:
        served.close()
