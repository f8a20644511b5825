"""A search by its real flow: killed in its second trial, gone on with, and its outcome run as a config."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_DEFAULT_SERIALIZER,
    temporary_settings,
)

from pipelines.check import check_pipeline
from pipelines.config import load_config
from pipelines.search.flow import search
from tasks.progress import Advance, listening
from tests.end_to_end.customers import write_project

SEARCH = """\
search:
  space:
    train.optimizer.learning_rate: {low: 1e-5, high: 1e-1, log: true}
    train.model.hidden: {choices: [[4], [8, 8]]}
  trials: 2
"""


@pytest.fixture
def project(tmp_path: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    write_project(tmp_path, rows=800)
    config = tmp_path / "customers.yaml"
    config.write_text(config.read_text() + SEARCH)
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    changed = {
        PREFECT_API_URL: prefect_api,
        PREFECT_LOCAL_STORAGE_PATH: tmp_path / "home" / "results",
        PREFECT_RESULTS_DEFAULT_SERIALIZER: "json",
    }
    with temporary_settings(changed):
        yield tmp_path


@contextmanager
def _killed_in_the_second_training(label: str, total: int, unit: str) -> Iterator[Advance]:
    _begun.append(label)

    def advance(amount: int = 1) -> None:
        if _begun.count("training") == 2 and label == "training":
            raise KeyboardInterrupt

    yield advance


_begun: list[str] = []


def test_a_killed_search_goes_on_and_its_best_config_runs(project: Path) -> None:
    config, out = project / "customers.yaml", project / "found" / "best.yaml"
    with pytest.raises(KeyboardInterrupt), listening(_killed_in_the_second_training):
        search(str(config), [], str(out))
    assert not out.exists()
    _begun.clear()
    found: dict[str, Any] = search(str(config), [], str(out))
    assert [each["state"] for each in found["trials"]] == ["complete", "killed", "complete"]
    assert found["trials"][1]["settings"] == found["trials"][2]["settings"]
    values = [each["value"] for each in found["trials"] if each["value"] is not None]
    assert found["best"]["value"] == min(values)
    check_pipeline(out)
    best = load_config(out)
    assert best.search is None
    assert [*best.train.model.hidden] == found["best"]["settings"]["train.model.hidden"]  # type: ignore[union-attr]
    assert best.train.optimizer.learning_rate == found["best"]["settings"]["train.optimizer.learning_rate"]
    asked = load_config(config)
    assert (Path(best.contract).resolve(), best.source) == (Path(asked.contract).resolve(), best.source)
    assert Path(best.source.path).resolve() == Path(asked.source.path).resolve()
