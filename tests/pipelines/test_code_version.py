import ast
import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines import code_version as subject


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A room `fake_room` with a task that imports a module that imports another."""
    room = tmp_path / "fake_room"
    (room / "inner").mkdir(parents=True)
    (room / "__init__.py").write_text("")
    (room / "inner" / "__init__.py").write_text("")
    (room / "task.py").write_text("from fake_room.inner import middle\n")
    (room / "inner" / "middle.py").write_text("def f():\n    from .deep import value\n    return value\n")
    (room / "inner" / "deep.py").write_text("value = 1\n")
    (room / "unrelated.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(subject, "ROOMS", ("fake_room",))
    importlib.invalidate_caches()
    yield room
    sys.modules.pop("fake_room", None)


def version_now() -> str:
    subject.code_version.cache_clear()
    subject._read.cache_clear()
    subject.source_file.cache_clear()
    return subject.code_version("fake_room.task")


def test_an_edit_anywhere_below_changes_the_version(rooms: Path) -> None:
    before = version_now()
    assert version_now() == before
    (rooms / "inner" / "deep.py").write_text("value = 2\n")
    assert version_now() != before


def test_an_edit_elsewhere_does_not(rooms: Path) -> None:
    before = version_now()
    (rooms / "unrelated.py").write_text("value = 2\n")
    assert version_now() == before


def test_a_library_release_changes_the_version(rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_now()
    monkeypatch.setattr(subject, "_release", lambda library: f"{library} of tomorrow")
    assert version_now() != before


def test_every_import_statement_is_found(tmp_path: Path) -> None:
    nested = tmp_path / "nested.py"
    nested.write_text(
        "try:\n    import tasks.a\nexcept ValueError:\n    import tasks.b\nelse:\n    import tasks.c\n"
        "finally:\n    import tasks.d\nmatch 1:\n    case 1:\n        from tasks import e\n"
        "while 0:\n    pass\nelse:\n    import tasks.f\n"
    )
    assert set(subject.imported_modules(nested, "x")) == {"tasks", *(f"tasks.{name}" for name in "abcdef")}
    for path in sorted((Path(subject.__file__).parents[1] / "tasks" / "data").glob("*.py")):
        nodes = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert len(nodes) == len(list(subject._imports(ast.parse(path.read_text()))))


def test_the_real_tasks_are_followed_into_the_contracts() -> None:
    subject.code_version.cache_clear()
    path = subject.source_file("tasks.references")
    assert path is not None
    found = set(subject.imported_modules(subject.source_file("tasks.engine"), "tasks.engine"))
    assert {"tasks", "tasks.progress", "tasks.dask_threads"} <= found


def test_versions_are_found_in_several_threads_at_once() -> None:
    modules = [f"tasks.data.{name}" for name in ("ingest", "validate", "clean", "split", "document")]
    with ThreadPoolExecutor(len(modules)) as pool:
        for _ in range(3):
            subject.code_version.cache_clear()
            subject._read.cache_clear()
            assert len(set(pool.map(subject.code_version, modules))) == len(modules)
