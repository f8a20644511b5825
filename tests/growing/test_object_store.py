"""docs/growing/object-store.md, done: whole runs in a bucket, killed there, resumed elsewhere, and served from it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.remote.conftest import new_bucket
from tests.serving.bundles import small_model, write_bundle

# Minutes of whole runs, which CI has no time for; `make test-all` runs them.
pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Checkpoints come quickly, one after the other, so that the kill falls between two of them.
_TRAINING = ("train.rounds=16", "train.steps_per_round=30", "train.selection.patience=16")
_RUN = ("run", "customers.yaml", "--json", *(word for setting in _TRAINING for word in ("--set", setting)))
_SECONDS = 120


@pytest.fixture(scope="module")
def home(s3_variables: dict[str, str]) -> RemotePath:
    return new_bucket() / "team" / "home"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Shell:
    """A project on a machine whose disk is Headrace's home."""
    folder = tmp_path_factory.mktemp("machine")
    write_project(folder, rows=2000)
    return Shell(folder, {"PREFECT_API_URL": prefect_api})


def in_bucket(machine: Shell, home: RemotePath, variables: dict[str, str], user: str) -> Shell:
    """The same project, with its source and its home in the bucket, on a machine with a home folder of its own."""
    (machine.folder / user).mkdir(exist_ok=True)
    own = {"HEADRACE_HOME": str(home), "HOME": str(machine.folder / user), "XDG_CACHE_HOME": ""}
    return Shell(machine.folder, {**machine.variables, **variables, **own})


@pytest.fixture(scope="module")
def resumed(machine: Shell, home: RemotePath, s3_variables: dict[str, str]) -> tuple[str, str]:
    """The digest and the words of a run that was killed in training on one machine and run again on another."""
    source = home.parent / "raw" / "customers.csv"
    source.write_bytes((machine.folder / "customers.csv").read_bytes())
    where = ("--set", f"source.path={source}")
    first = in_bucket(machine, home, s3_variables, "ada").start(*_RUN, *where)
    deadline = time.monotonic() + _SECONDS
    while len([path for path in (home / "training").rglob("*") if path.suffix == ".ckpt"]) < 2:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=30)
    assert not list((home / "checkpoints").rglob("*")), "the kill came after training"
    done = in_bucket(machine, home, s3_variables, "grace").run(*_RUN, *where)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["digest"], done.stderr


def test_a_run_killed_in_a_bucket_goes_on_on_another_machine(home: RemotePath, resumed: tuple[str, str]) -> None:
    digest, said = resumed
    assert "goes on after step" in said
    assert said.count("reused") == 6
    champion = ModelStore(home / "models").champion("churn")
    assert champion is not None
    assert champion.digest == digest


def test_its_bundle_is_that_of_an_unkilled_run_on_a_disk(machine: Shell, resumed: tuple[str, str]) -> None:
    unkilled = machine.run(*_RUN)
    assert unkilled.returncode == 0, unkilled.stderr
    assert json.loads(unkilled.stdout.splitlines()[-1])["digest"] == resumed[0]


def test_nothing_half_written_is_left_where_others_look(home: RemotePath, resumed: tuple[str, str]) -> None:
    folders = {path.relative_to(home).parts[:2] for path in home.rglob("*")}
    whole = {folder for folder in folders if (home / folder[0] / folder[1] / ".whole").exists()}
    named_by_digest = {folder for folder in folders if re.fullmatch("[0-9a-f]{64}", folder[1])}
    assert named_by_digest - whole == {folder for folder in folders if folder[0] in {"training", "results"}}


def test_the_endpoint_serves_from_the_bucket(
    machine: Shell, home: RemotePath, resumed: tuple[str, str], s3_variables: dict[str, str]
) -> None:
    server = in_bucket(machine, home, s3_variables, "endpoint").start("serve", "--port", "0")
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        ready = httpx.get(f"{found.group()}/v2/models/churn")
        assert ready.json()["versions"] == ["1"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)


def test_of_two_promotions_at_once_one_is_the_champion_and_both_are_versions(s3_variables: dict[str, str]) -> None:
    store = ModelStore(new_bucket())

    def promote(bias: float) -> str:
        version = store.register("small", lambda folder: write_bundle(folder, small_model(bias))).version
        store.set_champion("small", version)
        return version

    with ThreadPoolExecutor(2) as pool:
        versions = set(pool.map(promote, (1.0, 2.0)))
    assert versions == {"1", "2"} == set(store.versions("small"))
    champion = store.champion("small")
    assert champion is not None
    assert champion.version in versions
    # The pointer is one object; of two that are written at once the later one stands, and may not know of the other.
    assert {each.version for each in champion.history} <= versions - {champion.version}
