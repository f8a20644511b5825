"""`serving.models.served`: the endpoint follows the champion pointer, and nothing broken ever takes its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.bundle.manifest import MODEL
from serving.bundle.store import ModelStore
from serving.errors import NotFoundError
from serving.models.served import ServedModels
from tests.serving.bundles import promote, request, serving, small_model, write_bundle


def until(holds: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def served(root: Path) -> ServedModels:
    models = ServedModels(ModelStore(root), max_batch=10)
    models.refresh()
    return models


def test_the_endpoint_follows_the_pointer_without_a_failed_answer(tmp_path: Path) -> None:
    root = tmp_path / "models"
    promote(root, bias=0)
    with serving(root, tmp_path / "log") as endpoint, httpx.Client(base_url=endpoint.url) as client:
        answers: list[tuple[int, str, float]] = []
        stop = threading.Event()

        def ask() -> None:
            with httpx.Client(base_url=endpoint.url) as own:
                while not stop.is_set():
                    answer = own.post("/v2/models/small/infer", json=request(departs=[None]))
                    got = answer.json()
                    answers.append((answer.status_code, got["model_version"], got["outputs"][1]["data"][1]))

        def version() -> str:
            return str(client.get("/v2/models/small").json()["versions"][0])

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            promote(root, bias=-9)
            until(lambda: version() == "2")
            assert client.get("/v2/models/small").json()["versions"] == ["2", "1"]
            assert client.get("/v2/models/small/versions/1/ready").json() == {"name": "small", "ready": True}
            assert client.get("/v2/models/small/versions/3/ready").status_code == 404
            ModelStore(root).rollback("small")
            until(lambda: version() == "1")
            promote(root, bias=3, name="second")
            until(lambda: client.get("/v2/models/second/ready").status_code == 200)
        finally:
            stop.set()
            asking.join()
    assert {status for status, _, _ in answers} == {200}
    assert {(version, late > 0.5) for _, version, late in answers} == {("1", True), ("2", False)}


def test_a_broken_champion_is_refused_and_the_old_one_serves_on(tmp_path: Path) -> None:
    root = tmp_path / "models"
    promote(root)
    with serving(root, tmp_path / "log") as endpoint, httpx.Client(base_url=endpoint.url) as client:
        promote(root, bias=1)
        # The endpoint may already have loaded version 2; breaking version 3 before its pointer moves is certain.
        store = ModelStore(root)
        store.register("small", lambda folder: write_bundle(folder, small_model(2)))
        (store.bundle_path("small", "3") / MODEL).write_bytes(b"torn")
        pointer = store.pointer_path("small")
        pointer.write_text('{"version": "3", "digest": "0"}')
        until(lambda: "refused the champion" in endpoint.log.read_text())
        assert client.get("/v2/health/ready").status_code == 200
        assert client.post("/v2/models/small/infer", json=request()).status_code == 200
        assert client.get("/v2/models/small").json()["versions"][0] in {"1", "2"}
        pointer.write_text("not JSON")
        until(lambda: "the champion pointer is corrupt" in endpoint.log.read_text())
        assert client.post("/v2/models/small/infer", json=request()).status_code == 200


def test_a_model_that_never_loaded_makes_the_server_not_ready(tmp_path: Path) -> None:
    root = tmp_path / "models"
    promote(root, name="good")
    promote(root, name="bad")
    (ModelStore(root).bundle_path("bad", "1") / MODEL).write_bytes(b"torn")
    with serving(root, tmp_path / "log") as endpoint, httpx.Client(base_url=endpoint.url) as client:
        answer = client.get("/v2/health/ready")
        assert (answer.status_code, answer.json()) == (400, {"live": True, "ready": False})
        assert client.get("/v2/models/bad/ready").status_code == 404
        assert client.post("/v2/models/good/infer", json=request()).status_code == 200


def test_an_empty_store_is_ready_and_waits(tmp_path: Path) -> None:
    models = served(tmp_path)
    assert models.ready
    with pytest.raises(NotFoundError, match="served models: none"):
        models.get("small")
    promote(tmp_path)
    models.refresh()
    assert models.get("small", "1").name == "small"


def test_a_bundle_that_is_not_the_promoted_one_is_refused(tmp_path: Path) -> None:
    promote(tmp_path)
    write_bundle(ModelStore(tmp_path).bundle_path("small", "1"), small_model(7))
    models = served(tmp_path)
    assert "not the bundle that was promoted" in models.refused["small"]
    assert not models.ready


def test_a_model_whose_folder_goes_is_served_on(tmp_path: Path) -> None:
    promote(tmp_path)
    models = served(tmp_path)
    (tmp_path / "small" / "champion").unlink()
    models.refresh()
    assert models.get("small").version == "1"


def test_a_disk_that_fails_for_a_moment_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(tmp_path)
    models = ServedModels(ModelStore(tmp_path), max_batch=10)
    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "champion", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match="Input/output"):
            models.refresh()
    models.refresh()
    assert models.get("small").version == "1"
