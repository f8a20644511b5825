"""Folders in a bucket: all or nothing, whatever happens to who writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serving.bundle.places import RemotePath
from tasks.storage import (
    beside,
    copy_file,
    digest_folder,
    files_below,
    headrace_home,
    is_whole,
    new_folder,
    remove_folder,
    write_atomic,
    write_json,
)
from tests.end_to_end.conftest import ROOT

FILES = {"a": b"1", "sub/b": b"22", "manifest.json": b"{}"}

WRITER = """
import sys, time
from serving.bundle.places import place
from tasks.storage import digest_folder, new_folder
with new_folder(place(sys.argv[1]), digest_folder) as folder:
    for name, content in {files!r}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    print("written", flush=True)
    time.sleep(600)
"""


def fill(folder: Path) -> str:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return digest_folder(folder)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_folder_has_its_local_digest_and_a_mark_that_does_not_count(bucket: RemotePath, tmp_path: Path) -> None:
    with new_folder(tmp_path, digest_folder) as folder:
        digest = fill(folder)
    with new_folder(bucket / "store", digest_folder) as folder:
        assert fill(folder) == digest
        assert not is_whole(bucket / "store" / digest)
    assert names(bucket / "store") == {f"{digest}/{name}" for name in (*FILES, ".whole")}
    assert is_whole(bucket / "store" / digest)
    assert digest_folder(bucket / "store" / digest) == digest
    assert {path.name for path in files_below(bucket / "store" / digest)} == {"a", "b", "manifest.json"}


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_nothing(bucket: RemotePath, error: BaseException) -> None:
    def build() -> None:
        with new_folder(bucket / "store", digest_folder) as folder:
            fill(folder)
            raise error

    with pytest.raises(type(error)):
        build()
    assert names(bucket) == set()


def test_a_writer_killed_while_it_writes_leaves_only_what_nobody_reads(bucket: RemotePath) -> None:
    command = [sys.executable, "-c", WRITER.format(files=FILES), str(bucket / "store")]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "written\n"
    writer.kill()
    writer.wait()
    assert len(names(bucket)) == len(FILES)
    assert all(name.startswith("store/.tmp-") for name in names(bucket))
    with new_folder(bucket / "store", digest_folder) as folder:
        digest = fill(folder)
    assert {name for name in names(bucket) if ".tmp-" not in name} == {
        f"store/{digest}/{name}" for name in (*FILES, ".whole")
    }


def test_a_writer_killed_while_it_copies_is_made_good(bucket: RemotePath, tmp_path: Path) -> None:
    digest = fill(tmp_path)
    (bucket / "store" / digest / "a").write_bytes(FILES["a"])
    assert not is_whole(bucket / "store" / digest)
    with new_folder(bucket / "store", digest_folder) as folder:
        fill(folder)
    assert is_whole(bucket / "store" / digest)
    assert digest_folder(bucket / "store" / digest) == digest


def test_what_is_whole_is_not_written_again(bucket: RemotePath) -> None:
    for _ in range(2):
        with new_folder(bucket / "store", digest_folder) as folder:
            digest = fill(folder)
        # A raw dataset's manifest may be written anew in place; another writer must leave it.
        (bucket / "store" / digest / "manifest.json").write_bytes(b"{ }")
    assert (bucket / "store" / digest / "manifest.json").read_bytes() == b"{ }"


def test_files_are_replaced_copied_and_removed(bucket: RemotePath, tmp_path: Path) -> None:
    write_atomic(bucket / "deep" / "file", b"old")
    write_json(bucket / "deep" / "file", {"b": "é"})
    assert (bucket / "deep" / "file").read_text() == '{\n  "b": "é"\n}\n'
    copy_file(bucket / "deep" / "file", bucket / "deep" / "second")
    copy_file(bucket / "deep" / "second", tmp_path / "third")
    copy_file(tmp_path / "third", bucket / "fourth")
    assert (bucket / "fourth").read_bytes() == (bucket / "deep" / "file").read_bytes()
    remove_folder(bucket / "deep")
    remove_folder(bucket / "deep")
    assert names(bucket) == {"fourth"}


def test_a_partition_is_named_inside_its_dataset_or_anywhere(tmp_path: Path) -> None:
    folder = RemotePath("s3://bucket/datasets/d")
    assert str(beside(folder, "train/part-0.parquet")) == "s3://bucket/datasets/d/train/part-0.parquet"
    assert beside(folder, "/data/a.parquet") == Path("/data/a.parquet")
    assert str(beside(tmp_path, "s3://raw/a.parquet")) == "s3://raw/a.parquet"
    assert beside(tmp_path, "a.parquet") == tmp_path / "a.parquet"


def test_the_home_may_be_a_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_HOME", "s3://bucket/team")
    assert headrace_home() == RemotePath("s3://bucket/team")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADRACE_HOME", "here")
    assert headrace_home() == tmp_path / "here"
