import json
from pathlib import Path

from pydantic import BaseModel

from pipelines.caching import cache_key, drop_unusable
from tasks.engine import DaskConfig
from tasks.references import DatasetRef


class Section(BaseModel):
    threshold: float = 0.5


def work(data: DatasetRef, config: Section, home: Path, dask: DaskConfig) -> DatasetRef:
    raise NotImplementedError


def key(digest: str = "a", threshold: float = 0.5, path: str = "/one", threads: int = 1) -> str:
    return cache_key(
        work,
        {
            "data": DatasetRef(path=path, digest=digest, rows=1),
            "config": Section(threshold=threshold),
            "home": Path(path),
            "dask": DaskConfig(threads=threads),
        },
    )


def test_a_key_depends_on_content_and_config_alone() -> None:
    assert key() == key(path="/two", threads=2)
    assert key() != key(digest="b")
    assert key() != key(threshold=0.6)


def test_a_key_depends_on_the_function() -> None:
    def other(data: DatasetRef) -> None: ...

    data = DatasetRef(path="/one", digest="a", rows=1)
    assert cache_key(work, {"data": data}) != cache_key(other, {"data": data})


def record(folder: Path, result: object) -> Path:
    path = folder / "record"
    path.write_text(json.dumps({"metadata": {}, "result": json.dumps(result)}))
    return path


def test_a_result_whose_files_are_there_is_kept(tmp_path: Path) -> None:
    path = record(tmp_path, {"__class__": "x", "data": {"path": str(tmp_path), "digest": "d"}})
    drop_unusable(path)
    assert path.exists()


def test_a_result_whose_files_are_gone_is_dropped(tmp_path: Path) -> None:
    path = record(tmp_path, [{"data": {"path": str(tmp_path / "gone"), "digest": "d"}}])
    drop_unusable(path)
    assert not path.exists()


def test_a_torn_result_is_dropped(tmp_path: Path) -> None:
    path = record(tmp_path, {"path": str(tmp_path)})
    path.write_bytes(path.read_bytes()[:-20])
    drop_unusable(path)
    assert not path.exists()


def test_no_result_is_no_problem(tmp_path: Path) -> None:
    drop_unusable(tmp_path / "nothing")
