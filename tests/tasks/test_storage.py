import errno
import os
from pathlib import Path

import pytest

from tasks import storage
from tasks.errors import DiskFullError
from tasks.storage import (
    canonical_json,
    digest_file,
    digest_folder,
    digest_of,
    naming_full_disk,
    new_folder,
    write_atomic,
    write_json,
)


def test_equal_values_have_equal_digests():
    assert canonical_json({"b": 1, "a": [1.5, None, "é"]}) == '{"a":[1.5,null,"é"],"b":1}'.encode()
    assert digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


def test_nan_has_no_canonical_form():
    with pytest.raises(ValueError):
        canonical_json(float("nan"))


def test_a_folders_digest_counts_names_and_content(tmp_path: Path):
    for folder, name in (("one", "x"), ("two", "x"), ("three", "y")):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / name).write_text("content")
    digests = [digest_folder(tmp_path / folder) for folder in ("one", "two", "three")]
    assert digests[0] == digests[1] != digests[2]
    (tmp_path / "two" / "report.html").write_text("time")
    assert digest_folder(tmp_path / "two", leave_out=frozenset({"report.html"})) == digests[0]


def test_a_written_file_replaces_the_old_one_whole(tmp_path: Path):
    path = tmp_path / "deep" / "file"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    write_json(path, {"b": 1, "a": "é"})
    assert path.read_text() == '{\n  "a": "é",\n  "b": 1\n}\n'


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "champion"
    write_atomic(path, b"1")
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(DiskFullError, match=r"no space is left.*\n  do: free some space"):
        write_atomic(path, b"2")
    assert path.read_bytes() == b"1"
    assert [each.name for each in tmp_path.iterdir()] == ["champion"]


def test_other_failures_keep_their_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def denied(_: int) -> None:
        raise OSError(errno.EACCES, "denied")

    monkeypatch.setattr(os, "fsync", denied)
    with pytest.raises(PermissionError):
        write_atomic(tmp_path / "file", b"2")


def test_a_new_folder_appears_whole_under_its_digest(tmp_path: Path):
    with new_folder(tmp_path / "store", digest_folder) as folder:
        (folder / "a").write_text("1")
        assert [each.name for each in (tmp_path / "store").iterdir()] == [folder.name]
        digest = digest_folder(folder)
    assert [each.name for each in (tmp_path / "store").iterdir()] == [digest]
    assert (tmp_path / "store" / digest / "a").read_text() == "1"


def test_the_same_content_twice_is_stored_once(tmp_path: Path):
    for _ in range(2):
        with new_folder(tmp_path, digest_folder) as folder:
            (folder / "a").write_text("1")
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_work_done_by_two_at_once_is_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rename = Path.rename

    def after_another(self: Path, target: Path) -> Path:
        if not target.exists():
            target.mkdir()
            (target / "file").write_text("same")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", after_another)
    with new_folder(tmp_path, digest_folder) as folder:
        (folder / "file").write_text("same")
        name = digest_folder(folder)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, error: BaseException):
    with pytest.raises(type(error)):
        _fill_and_fail(tmp_path, error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EFBIG, "a file would become larger"),
    ],
)
def test_a_full_disk_leaves_no_folder(tmp_path: Path, number: int, said: str):
    with pytest.raises(DiskFullError, match=rf"{said}.*0\.0 MB of it were written, [0-9.,]+ MB are free"):
        _fill_and_fail(tmp_path, OSError(number, "so says the system"))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_before_there_is_a_folder_is_named(tmp_path: Path):
    with pytest.raises(DiskFullError, match=r"no space is left.*MB are free"), naming_full_disk(tmp_path / "a" / "b"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_another_error_of_the_system_stays_what_it_is(tmp_path: Path):
    with pytest.raises(OSError, match="Input/output"), naming_full_disk(tmp_path):
        raise OSError(errno.EIO, "Input/output error")


def test_headrace_home_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    assert storage.headrace_home() == tmp_path
    monkeypatch.delenv("HEADRACE_HOME")
    monkeypatch.chdir(tmp_path)
    assert storage.headrace_home() == tmp_path / ".headrace"


def test_a_files_digest_is_sha256(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"abc")
    assert digest_file(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _fill_and_fail(parent: Path, error: BaseException) -> None:
    with new_folder(parent, digest_folder) as folder:
        (folder / "a").write_text("1")
        raise error


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
