"""Wrong turns of the machine and of what is stored on it: ports, rights, disks, bundles of another Headrace."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.cli.machine import refusal_of
from tests.end_to_end.wrong_turns.conftest import Headrace, write_table


@contextmanager
def _without_rights(path: Path) -> Iterator[None]:
    """Take the right to read a file; where root runs the tests, as somebody else."""
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(0o600)


@contextmanager
def _small_disk(most: int) -> Iterator[None]:
    """Let no file become larger, which programs hear of as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_port_taken(headrace: Headrace, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = headrace("serve", "--store", str(tmp_path), "--port", str(port))
    said.refused(2, f"cannot serve on 127.0.0.1:{port}: Address already in use", "--port")


def test_no_rights(headrace: Headrace) -> None:
    path = write_table(Path("a.csv"))
    assert headrace("init", "a.csv", "--target", "kind").code == 0
    with _without_rights(path):
        said = headrace("init", "a.csv", "--target", "kind", "--name", "b")
    said.refused(2, "a.csv: ", " may not be ", "do: ask its owner")
    with _without_rights(Path("data_contracts/a.odcs.yaml")):
        said = headrace("check", "pipelines/configs/a.yaml")
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert re.search(r"Permission denied|not readable|may not be", said.err)


def test_no_disk(headrace: Headrace) -> None:
    write_table(Path("a.csv"), rows=3000)
    with _small_disk(20_000):
        said = headrace("init", "a.csv", "--target", "kind")
    said.refused(1, "larger than this process may write", "nothing half-written stays", "do: free some space")
    assert not Path("pipelines").exists()


def test_old_bundle(headrace: Headrace, tmp_path: Path) -> None:
    version = tmp_path / "home" / "models" / "churn" / "1"
    version.mkdir(parents=True)
    (version / "bundle.json").write_text(json.dumps({"format": 0}))
    pointer = {"version": "1", "digest": "0" * 64, "history": []}
    (version.parent / "champion").write_text(json.dumps(pointer))
    said = headrace("models", "show", "churn")
    said.refused(1, "bundle.json: written by another Headrace: its format is 0, and this one reads 1", "do: use the")


def test_what_the_machine_refuses_is_told_from_defects() -> None:
    for error, code, word in (
        (PermissionError(13, "Permission denied", "/a/b"), 2, "/a/b: Permission denied"),
        (OSError(28, "No space left on device", "/a/b"), 1, "/a/b: No space left"),
        (OSError(24, "Too many open files", "/a/b"), 1, "ulimit -n"),
        (MemoryError("Unable to allocate 9 GiB"), 1, "memory ran out (Unable to allocate 9 GiB)"),
        (ImportError("libtorch.so: failed to map segment from shared object"), 1, "memory ran out"),
        (RuntimeError("can't start new thread"), 1, "memory ran out"),
    ):
        refusal = refusal_of(error)
        assert refusal is not None
        assert (refusal.code, word in refusal.message, "\n  do: " in refusal.message) == (code, True, True)
    for defect in (RuntimeError("a dictionary changed"), ImportError("no module named x"), OSError("other")):
        assert refusal_of(defect) is None
