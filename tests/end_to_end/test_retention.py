"""After the garbage of real runs is gone, the champion answers, and a run finds or makes again what it needs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_DEFAULT_SERIALIZER,
    temporary_settings,
)

from pipelines.cli import main
from pipelines.flow import data_to_deployment
from serving.bundle.store import ModelStore
from tasks.retention.items import CONTENT
from tests.end_to_end.customers import write_project
from tests.end_to_end.test_whole_way import request
from tests.serving.bundles import serving, small_model, write_bundle

SMALL = ["train.rounds=1", "explain=null", "promote.bootstrap=0"]


@pytest.fixture
def home(tmp_path: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    write_project(tmp_path, rows=800)
    home = tmp_path / "home"
    monkeypatch.setenv("HEADRACE_HOME", str(home))
    changed = {
        PREFECT_API_URL: prefect_api,
        PREFECT_LOCAL_STORAGE_PATH: home / "results",
        PREFECT_RESULTS_DEFAULT_SERIALIZER: "json",
    }
    with temporary_settings(changed):
        yield home


def collect(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr(
        sys, "argv", ["headrace", "gc", "--keep-runs", "0", "--keep-versions", "1", *arguments, "--json"]
    )
    capsys.readouterr()
    main()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def age(home: Path) -> None:
    long_ago = time.time() - 40 * 86_400
    for path in home.rglob("*"):
        os.utime(path, (long_ago, long_ago))


def test_the_champion_serves_and_a_run_goes_again_after_the_garbage_is_gone(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, store = str(home.parent / "customers.yaml"), ModelStore(home / "models")
    promoted = data_to_deployment(config, SMALL)
    assert {path.parent.name for path in home.glob("*/*") if len(path.name) == 64} <= {*CONTENT, "results", "training"}
    assert collect(capsys, monkeypatch)["goes"] == []
    age(home)
    found = collect(capsys, monkeypatch, "--delete")
    assert {row["kind"] for row in found["goes"]} == {"training"}
    assert {row["why"] for row in found["stays"] if row["kind"] == "results"} == {"leads to what stays"}
    with serving(store.root, home.parent / "log") as endpoint:
        answer = httpx.post(f"{endpoint.url}/v2/models/churn/infer", json=request())
    assert (answer.status_code, answer.json()["model_version"]) == (200, promoted["version"])

    # Nothing of the run is needed any more: another version is the newest, and there is no champion.
    store.pointer_path("churn").unlink()
    store.register("churn", partial(write_bundle, graph=small_model(), model="churn"))
    collect(capsys, monkeypatch, "--delete")
    assert [path for kind in CONTENT for path in home.glob(f"{kind}/*")] == []
    again = data_to_deployment(config, SMALL)
    assert (again["status"], again["version"], again["digest"]) == ("promoted", "3", promoted["digest"])
