"""`serving.bundle.places`: an object store behind `pathlib`'s interface, over a real server."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from serving.bundle.places import RemotePath, is_remote, place


@pytest.mark.parametrize("uri", ["data/a.csv", "/data/a.csv", Path("data")])
def test_what_is_local_is_a_plain_path(uri: str | Path) -> None:
    assert type(place(uri)) is type(Path())
    assert not is_remote(uri)


def test_a_file_uri_is_local() -> None:
    assert place("file:///data/a.csv") == Path("/data/a.csv")
    assert not is_remote("file:///data/a.csv")


def test_a_uri_survives_joining_taking_apart_and_travelling() -> None:
    folder = place("s3://bucket/some/prefix/")
    file = folder / "sub" / "a.parquet"
    assert str(file) == file.as_uri() == file.as_posix() == "s3://bucket/some/prefix/sub/a.parquet"
    assert place(str(file)) == file
    assert str(file.parent.parent) == "s3://bucket/some/prefix"
    assert file.relative_to(folder).as_posix() == "sub/a.parquet"
    assert (file.name, file.suffix) == ("a.parquet", ".parquet")
    assert str(file.with_name("b")) == "s3://bucket/some/prefix/sub/b"
    # Dask sends a path as `copy` takes it apart.
    travelled = copy.copy(file)
    assert (type(travelled), travelled) == (RemotePath, file)
    assert file.absolute() is file


@pytest.mark.parametrize("reach", [open, shutil.rmtree, Path.touch, Path.resolve])
def test_what_would_reach_for_the_local_disk_is_refused(reach) -> None:
    with pytest.raises(TypeError, match="s3://bucket/file is in an object store"):
        reach(place("s3://bucket/file"))


def test_objects_are_written_found_and_removed(bucket: RemotePath) -> None:
    folder = bucket / "prefix"
    assert not folder.exists()
    assert (folder / "a").write_bytes(b"12345") == 5
    (folder / "sub" / "b.csv").write_text("ö\n")
    assert (folder.is_dir(), folder.is_file()) == (True, False)
    assert ((folder / "a").is_dir(), (folder / "a").is_file()) == (False, True)
    assert (folder / "a").stat().st_size == 5
    assert [path.name for path in folder.iterdir()] == ["a", "sub"]
    assert folder.folders() == ["sub"]
    assert list(folder.rglob("*")) == [folder / "a", folder / "sub" / "b.csv"]
    assert list(bucket.glob("*/*/*.csv")) == list(folder.rglob("*.csv")) == [folder / "sub" / "b.csv"]
    assert (folder / "sub" / "b.csv").read_text() == "ö\n"
    (folder / "a").unlink()
    (folder / "a").unlink(missing_ok=True)
    folder.remove()
    folder.remove()
    assert list(bucket.iterdir()) == list(folder.rglob("*")) == folder.folders() == []


def test_a_missing_object_is_a_missing_file(bucket: RemotePath) -> None:
    with pytest.raises(FileNotFoundError, match=f"No such object: '{bucket}/nothing'"):
        (bucket / "nothing").read_bytes()
    with pytest.raises(FileNotFoundError):
        (bucket / "nothing").open("rb")
    with pytest.raises(FileNotFoundError):
        (bucket / "nothing").stat()


def test_a_stream_may_be_larger_than_its_blocks(bucket: RemotePath) -> None:
    content = bytes(range(256)) * (80 << 10)
    with (bucket / "large").open("wb") as file:
        for start in range(0, len(content), 1 << 20):
            file.write(content[start : start + (1 << 20)])
        assert not (bucket / "large").exists()
    with (bucket / "large").open("rb") as file:
        assert b"".join(iter(lambda: file.read(3 << 20), b"")) == content
    with (bucket / "large").open_parts() as file:
        file.seek(-3, 2)
        assert (file.read(), file.tell()) == (content[-3:], len(content))


def test_text_streams_keep_their_encoding(bucket: RemotePath) -> None:
    with (bucket / "text").open("w", encoding="latin-1", newline="") as file:
        file.write("süß\r\n")
    assert (bucket / "text").read_bytes() == "süß\r\n".encode("latin-1")
    with (bucket / "text").open(encoding="latin-1", newline="") as file:
        assert file.read() == "süß\r\n"


def test_of_many_writers_one_claims_a_name(bucket: RemotePath) -> None:
    assert (bucket / "claim").claim(b"first") == b"first"
    assert (bucket / "claim").claim(b"second") == b"first"
    assert (bucket / "claim").read_bytes() == b"first"


def test_the_fingerprint_changes_with_the_content_at_once(bucket: RemotePath) -> None:
    pointer = bucket / "champion"
    seen = set()
    for content in (b"1", b"2", b"3"):
        pointer.write_bytes(content)
        seen.add(pointer.fingerprint())
        assert pointer.fingerprint() in seen
    assert len(seen) == 3
