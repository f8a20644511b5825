"""Removing: whole things, in an order that leaves nothing dangling, and never under somebody's hands."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.bundle.places import RemotePath
from serving.bundle.writing import locked
from tasks.errors import ConfigError
from tasks.retention.items import GONE, KINDS
from tasks.retention.lock import alone, at_work
from tasks.retention.policy import RetentionPolicy
from tasks.retention.survey import survey
from tasks.retention.sweep import sweep
from tasks.storage import is_whole, new_folder, write_json
from tests.tasks.retention.homes import DAY, Home, digest

AT_WORK = """
import sys, time
from pathlib import Path
from tasks.retention.lock import at_work
with at_work(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of which one dataset stays, and a run, a result, a version and a dataset go."""
    home = Home(tmp_path / "home")
    kept, lost = home.content("datasets", "kept"), home.content("datasets", "lost")
    home.version(1, [lost])
    home.version(2, [kept])
    home.run("p/2026-1", [lost], version="models/m/1")
    home.record("lost", [lost])
    home.training("lost")
    return home


def test_what_refers_goes_before_what_it_refers_to(home: Home) -> None:
    swept = sweep(home.survey())
    kinds = [verdict.item.kind for verdict in swept.removed]
    assert kinds == ["runs", "results", "models", "training", "datasets"] == sorted(kinds, key=KINDS.index)
    assert [path for path in home.files() if not path.startswith(("models/m/2/", "datasets/" + digest("kept")))] == []
    assert sweep(home.survey()).removed == ()


def test_what_a_kill_left_goes_once_it_is_old_and_ones_own_at_once(home: Home) -> None:
    sweep(home.survey())
    young = [f"datasets/.tmp-{'1' * 32}", f"models/m/.new-{'1' * 32}", f"models/m/{GONE}{'1' * 32}"]
    for path in young:
        (home.folder / path).mkdir()
        (home.folder / path / "part").write_text("half")
        home.age(path, 0.5)
    (home.folder / "models" / "m" / f".champion.{'1' * 32}").write_text("half")
    torn = home.age(f"models/m/.champion.{'1' * 32}", 5)
    assert home.goes() == {young[2], torn}
    home.age(young[0], 5)
    sweep(home.survey())
    assert [path.name for path in sorted((home.folder / "datasets").iterdir())] == [digest("kept")]
    assert sorted(path.name for path in (home.folder / "models/m").iterdir()) == [f".new-{'1' * 32}", "2"]


def test_what_came_into_use_since_the_survey_stays(home: Home) -> None:
    found = home.survey()
    home.point(1)
    (home.folder / "datasets" / digest("lost") / "part" / "data").write_text("again")
    swept = sweep(found)
    assert {verdict.item.path for verdict in swept.left} == {"models/m/1", f"datasets/{digest('lost')}"}
    assert (home.folder / "models/m/1/model.onnx").exists()


def test_nothing_goes_once_another_run_has_begun(home: Home) -> None:
    found = home.survey()
    home.run("p/2026-2", days=0)
    before = home.files()
    assert sweep(found).busy
    assert home.files() == before


def test_a_model_is_locked_while_its_version_is_removed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer of the model holds its lock: the removal waits for it."""
    found = home.survey()
    script = (
        "import sys; from pathlib import Path; from tests.tasks.retention.homes import Home\n"
        "from tasks.retention.sweep import sweep\nsweep(Home(Path(sys.argv[1])).survey())\nprint('done')"
    )
    with locked(home.folder / "models/m"):
        other = subprocess.Popen([sys.executable, "-c", script, str(home.folder)], stdout=subprocess.PIPE, text=True)
        _wait_until(lambda: not (home.folder / "runs/p/2026-1").exists(), other)
        time.sleep(0.2)
        assert other.poll() is None
        assert (home.folder / "models/m/1/model.onnx").exists()
    assert other.communicate(timeout=60)[0] == "done\n"
    assert not (home.folder / "models/m/1").exists()
    assert found.goes


def test_nothing_goes_while_a_run_is_at_work_even_one_that_is_killed_later(home: Home) -> None:
    run = subprocess.Popen([sys.executable, "-c", AT_WORK, str(home.folder)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "at work\n"
    before = home.files()
    assert sweep(home.survey()).busy
    assert home.files() == before
    run.kill()
    run.communicate(timeout=30)
    assert not sweep(home.survey()).busy


def test_runs_do_not_keep_each_other_out(tmp_path: Path) -> None:
    home = tmp_path / "new"
    with alone(home) as free:
        assert free
    with at_work(home), at_work(home), alone(home) as free:
        assert not free
    with alone(home) as free:
        assert free


def test_what_may_not_be_removed_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    before = home.files()
    monkeypatch.setattr(os, "rename", denied)
    with pytest.raises(ConfigError, match=r"2026-1: cannot be removed: Permission denied.*\n  do: let this user"):
        sweep(home.survey())
    assert home.files() == before


def test_a_link_goes_and_what_it_leads_to_stays(home: Home, tmp_path: Path) -> None:
    path = home.folder / "datasets" / digest("lost")
    path.rename(tmp_path / "disk")
    path.symlink_to(tmp_path / "disk")
    os.utime(path, (0, 0), follow_symlinks=False)
    assert f"datasets/{digest('lost')}" in {verdict.item.path for verdict in sweep(home.survey()).removed}
    assert not path.is_symlink()
    assert (tmp_path / "disk" / "manifest.json").exists()


@pytest.fixture
def bucket() -> Iterator[RemotePath]:
    home = RemotePath("memory://retention")
    yield home
    home.remove()


def stored(home: RemotePath, kind: str, *refers: str) -> str:
    name = digest([kind, *refers])
    with new_folder(home / kind, lambda _: name) as folder:
        write_json(folder / "manifest.json", list(refers))
    return name


def test_in_an_object_store_too(bucket: RemotePath) -> None:
    lost, kept = stored(bucket, "datasets", "lost"), stored(bucket, "datasets", "kept")
    checkpoint = stored(bucket, "checkpoints", kept)
    for version, name in (("1", lost), ("2", checkpoint)):
        write_json(bucket / "models" / "m" / version / "bundle.json", {"of": name})
    (bucket / "models" / "m" / "3" / ".claim").write_bytes(b"a kill came before the manifest")
    (bucket / "datasets" / digest("torn") / "manifest.json").write_bytes(b"a kill came before the mark")
    policy = RetentionPolicy(keep_versions=1)
    assert survey(bucket, policy, time.time()).goes == ()
    swept = sweep(survey(bucket, policy, time.time() + 40 * DAY))
    assert [verdict.item.path for verdict in swept.removed] == [
        "models/m/1",
        f"datasets/{lost}",
        f"datasets/{digest('torn')}",
        "models/m/3",
    ]
    assert is_whole(bucket / "datasets" / kept)
    assert is_whole(bucket / "checkpoints" / checkpoint)
    assert not (bucket / "datasets" / lost).exists()
    assert survey(bucket, policy, time.time() + 40 * DAY).goes == ()


def _wait_until(holds: object, process: subprocess.Popen[str]) -> None:
    assert callable(holds)
    deadline = time.monotonic() + 60
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
