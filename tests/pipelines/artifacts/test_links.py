from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.artifacts.links import ENDPOINT_URL, RUNS_URL, to_document, to_model

RUNS = Path("/home/me/.headrace/runs")
REPORT = RUNS / "my flights" / "20260101-000000-abc" / "report.html"


def test_without_addresses_there_are_paths_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT_URL, raising=False)
    monkeypatch.delenv(RUNS_URL, raising=False)
    assert to_model("churn", 3) is None
    assert to_document(REPORT, RUNS, "the report") == f"the report: `{REPORT}`"


def test_with_addresses_there_are_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT_URL, "http://models:8080/")
    monkeypatch.setenv(RUNS_URL, "http://files/runs/")
    assert to_model("churn") == "http://models:8080/#churn"
    assert to_model("a/b c", 3) == "http://models:8080/#a%2Fb%20c/3"
    link, _, path = to_document(REPORT, RUNS, "the report").partition(": ")
    assert link == "[the report](http://files/runs/my%20flights/20260101-000000-abc/report.html)"
    assert path == f"`{REPORT}`"
