"""Results of finished tasks, shared between machines by the bucket that is their home."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.caching import drop_unusable, fetch_record, share_record
from pipelines.environment import results_folder
from serving.bundle.places import RemotePath
from tests.end_to_end.conftest import ROOT


def record_of(folder: RemotePath) -> bytes:
    """A record as Prefect keeps it: the result, as JSON inside JSON."""
    return json.dumps({"metadata": {}, "result": json.dumps({"path": str(folder), "digest": "d"})}).encode()


def test_another_machine_gets_what_the_first_one_finished(bucket: RemotePath, tmp_path: Path) -> None:
    made = bucket / "datasets" / "d"
    (made / ".whole").write_bytes(b"")
    first, second = (tmp_path / name / "key" for name in ("first", "second"))
    first.parent.mkdir()
    first.write_bytes(record_of(made))
    share_record(first, bucket)
    fetch_record(second, bucket)
    drop_unusable(second)
    assert second.read_bytes() == first.read_bytes()


def test_a_result_whose_folder_is_not_whole_is_dropped(bucket: RemotePath, tmp_path: Path) -> None:
    (bucket / "datasets" / "d" / "part").write_bytes(b"1")
    record = tmp_path / "key"
    record.write_bytes(record_of(bucket / "datasets" / "d"))
    drop_unusable(record)
    assert not record.exists()


def test_what_nobody_finished_is_not_there(bucket: RemotePath, tmp_path: Path) -> None:
    fetch_record(tmp_path / "key", bucket)
    share_record(tmp_path / "key", bucket)
    assert list(tmp_path.iterdir()) == list(bucket.iterdir()) == []


def test_a_local_home_shares_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"{}")
    share_record(tmp_path / "key", tmp_path / "home")
    fetch_record(tmp_path / "other", tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_records_of_two_homes_are_kept_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_RESULTS_LOCAL_STORAGE_PATH", raising=False)
    folders = []
    for home in ("s3://one/team", "s3://two/team", str(tmp_path / "home")):
        monkeypatch.setenv("HEADRACE_HOME", home)
        folders.append(results_folder())
    assert len(set(folders)) == 3
    assert all(folder.is_relative_to(tmp_path) for folder in folders)
    assert folders[2] == tmp_path / "home" / "results"


def test_no_reference_is_taken_for_a_local_path() -> None:
    """`Path(reference.path)` would make a local name of a URI; `reference.folder` does not."""
    wrong = re.compile(r"\bPath\((\w+\.)+path\)")
    files = [path for room in ("tasks", "pipelines") for path in (ROOT / room).rglob("*.py")]
    found = [f"{path}: {match.group()}" for path in files for match in wrong.finditer(path.read_text())]
    assert not [each for each in found if "contract.path" not in each], found
