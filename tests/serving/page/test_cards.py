"""The cards of models, as JSON: from a bundle's files, and from the real server process."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.bundle.manifest import MODEL, BundleManifest, InputRule
from serving.bundle.store import ModelStore
from serving.guard.key_file import add_key
from serving.page.cards import card_of, input_card
from serving.page.proofs import EVALUATION, MEASUREMENTS, read_proofs
from serving.page.statistics import REFERENCE, read_statistics
from tests.serving.bundles import INPUTS, Endpoint, promote, serving, small_manifest, small_model, write_bundle

EVALUATED: dict[str, Any] = {
    "test": {"log_loss": 0.4, "roc_auc": 0.8, "own_metric": 3, "confusion": [[1]]},
    "rows": 1000,
    "intervals": {"roc_auc": [0.7, 0.9]},
    "bootstrap": {"confidence": 0.95, "resamples": 10},
}
MEASURED: dict[str, Any] = {
    "time": "2026-11-22T14:21:34+00:00",
    "gates": [
        {"gate": "floor roc_auc", "passed": True, "comparison": ">=", "wanted": 0.7, "got": 0.8, "margin": 0.1},
        {"gate": "parity test label_flips", "passed": False, "comparison": "<=", "wanted": 0, "got": 2, "note": "two"},
        {"gate": "of_tomorrow", "passed": True, "comparison": "<=", "wanted": 1, "got": None},
    ],
    "latency_ms": {"1": {"p50": 0.2, "p99": 0.3}},
}
STATISTICS: dict[str, Any] = {
    "columns": {
        "carrier": {"values": {"B6": 900, "UA": 100}},
        "distance": {"probabilities": [0.0, 0.5], "quantiles": [1.0, 872.3456]},
        "seats": {"probabilities": [0.0, 0.5], "quantiles": [1.0, 149.6]},
        "departs": {"probabilities": [0.5], "quantiles": [1_372_629_600_000_000.0]},
        "charter": {"values": {"True": 30, "False": 10}},
        "engines": {"probabilities": [0.5], "quantiles": [3.0]},
    },
    "target": {"arr_delayed": {}},
}
PROOFS = {
    "metrics": {"roc_auc": 0.8},
    "parity": {"generated": {"rows": 9, "label_flips": 0}, "test": {"rows": 7, "label_flips": 0}},
    "validation": {"rows": 10, "kept": 9, "quarantined": 1, "digest": "d"},
    "contract": {"name": "flights", "version": "1.0.0", "digest": "c"},
}


def bundle(folder: Path, **changes: Any) -> BundleManifest:
    """Write a bundle that holds all that the training side writes for people."""
    folder.mkdir(parents=True, exist_ok=True)
    content = small_model().SerializeToString()
    texts = {EVALUATION: json.dumps(EVALUATED).encode(), REFERENCE: json.dumps(STATISTICS).encode(), MODEL: content}
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    (folder / MEASUREMENTS).write_text(json.dumps(MEASURED))
    files = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    everything = {"files": files, "proofs": PROOFS} | changes
    write_bundle(folder, content, **everything)
    return small_manifest(content, **everything)


def test_proofs_in_peoples_words(tmp_path: Path) -> None:
    told = read_proofs(tmp_path, bundle(tmp_path))
    assert [metric["title"] for metric in told["metrics"]] == ["Area under the ROC curve", "Log loss", "own metric"]
    assert told["metrics"][0] == {
        "name": "roc_auc",
        "title": "Area under the ROC curve",
        "value": 0.8,
        "interval": (0.7, 0.9),
        "better": "higher",
    }
    assert (told["test_rows"], told["confidence"], told["judged"]) == (1000, 0.95, MEASURED["time"])
    assert [(gate["title"], gate["passed"], gate["got"]) for gate in told["gates"]] == [
        ("Area under the ROC curve", True, 0.8),
        ("Training path and served graph, held-out records: labels that differ", False, 2),
        ("of tomorrow", True, None),
    ]
    assert [found["records"] for found in told["parity"]] == ["held-out records", "generated records"]
    assert told["data"] == {"rows": 10, "kept": 9, "quarantined": 1}
    assert told["contract"]["version"] == "1.0.0"


@pytest.mark.parametrize("content", [None, "{", '{"gates": 7}'])
def test_a_bundle_that_tells_less_is_told_of_less(tmp_path: Path, content: str | None) -> None:
    manifest = bundle(tmp_path, files={MODEL: "0" * 64})
    (tmp_path / MEASUREMENTS).unlink()
    if content is not None:
        (tmp_path / MEASUREMENTS).write_text(content)
    told = read_proofs(tmp_path, manifest)
    assert [metric["name"] for metric in told["metrics"]] == ["roc_auc"]
    assert "gates" not in told
    assert read_statistics(tmp_path, manifest) == ({}, ())
    assert read_proofs(tmp_path / "nowhere", small_manifest()) == {}
    assert read_proofs(tmp_path / "nowhere", small_manifest(proofs={"validation": "own words"})) == {}


def test_typical_values_are_as_a_record_holds_them(tmp_path: Path) -> None:
    inputs = tuple(spec.model_copy(update={"masked": spec.name == "engines"}) for spec in INPUTS)
    found = read_statistics(tmp_path, bundle(tmp_path, inputs=inputs))
    assert found.targets == ("arr_delayed",)
    assert found.typical == {
        "carrier": "B6",
        "distance": 872.3,
        "seats": 150,
        "charter": True,
        "departs": "2013-06-30T22:00Z",
    }


@pytest.mark.parametrize("median", ["1e300", "-1e18", "1e18", "null"])
def test_statistics_beyond_everything_are_no_typical_values(tmp_path: Path, median: str) -> None:
    columns = ", ".join(
        f'"{name}": {{"probabilities": [0.5], "quantiles": [{median}]}}' for name in ("departs", "other")
    )
    (tmp_path / REFERENCE).write_text(f'{{"columns": {{{columns}}}}}')
    assert read_statistics(tmp_path, small_manifest(files={MODEL: "", REFERENCE: ""})).typical == {}


def test_a_rare_text_is_no_typical_value(tmp_path: Path) -> None:
    (tmp_path / REFERENCE).write_text(json.dumps({"columns": {"carrier": {"values": {"Jane Doe": 3}}}}))
    assert read_statistics(tmp_path, small_manifest(files={MODEL: "", REFERENCE: ""})).typical == {}


def test_what_a_form_needs_to_know() -> None:
    assert input_card(INPUTS[0]) == {
        "name": "carrier",
        "kind": "string",
        "nullable": True,
        "choices": ["AA", "B6", "UA"],
        "examples": ["AA"],
    }
    rules = (InputRule(id="p", kind="pattern", argument="^B"), InputRule(id="n", kind="max_length", argument=3))
    spec = INPUTS[0].model_copy(update={"rules": rules, "description": "Who flies.", "examples": ("B6",)})
    assert input_card(spec) == {
        "name": "carrier",
        "kind": "string",
        "nullable": True,
        "description": "Who flies.",
        "pattern": "^B",
        "max_length": 3,
        "examples": ["B6"],
    }
    assert card_of(small_manifest())["outputs"][1]["labels"] == ["on time", "late"]


def test_the_endpoint_tells_of_every_version(tmp_path: Path) -> None:
    root = tmp_path / "models"
    store = ModelStore(root)
    store.set_champion("small", store.register("small", bundle).version)
    promote(root, name="other")
    promote(root, bias=1.0)
    store.set_traffic("small", lambda plan: plan.model_copy(update={"also": ("1",)}))
    (root / "other" / "champion").write_text("{")
    with serving(root, tmp_path / "log") as endpoint, httpx.Client(base_url=endpoint.url) as client:
        other, small = client.get("/v1/models").json()["models"]
        assert (small["model"], small["champion"], small["problem"]) == ("small", "2", "binary")
        assert [(each["version"], each["role"]) for each in small["versions"]] == [("2", "champion"), ("1", "also")]
        # Where the store is says more than a reader needs to know.
        assert other["refused"]["champion"].startswith("other/champion: ")
        first, second = (client.get(f"/v1/models/small{at}").json() for at in ("/versions/1", ""))
        assert (first["version"], first["role"], second["version"], second["role"]) == ("1", "also", "2", "champion")
        assert first["example"]["distance"] == 1400.0
        assert first["targets"] == ["arr_delayed"]
        assert [gate["passed"] for gate in first["proofs"]["gates"]] == [True, False, True]
        assert second["proofs"] == {}
        assert client.post("/v1/models/small/versions/1:predict", json={"records": [first["example"]]}).is_success
        for path in ("/v1/models/none", "/v1/models/small/versions/9", "/v1/models/", "/v1/models/small/x"):
            assert client.get(path).status_code == 404


def test_a_key_sees_its_models_alone(tmp_path: Path) -> None:
    for name in ("small", "hidden"):
        promote(tmp_path / "models", name=name)
    keys = tmp_path / "keys.json"
    key = add_key(keys, "reader", ["small"], ["describe"])
    with serving(tmp_path / "models", tmp_path / "log", "--keys", str(keys)) as endpoint:
        with httpx.Client(base_url=endpoint.url) as client:
            assert [client.get(path).status_code for path in ("/", "/v1/models", "/v1/models/small")] == [200, 401, 401]
        with httpx.Client(base_url=endpoint.url, headers={"x-api-key": key}) as client:
            assert [each["model"] for each in client.get("/v1/models").json()["models"]] == ["small"]
            assert client.get("/v1/models/small").status_code == 200
            assert client.get("/v1/models/hidden").status_code == 403


def test_the_pages_files_are_the_endpoints_own_and_known_again(endpoint: Endpoint) -> None:
    with httpx.Client(base_url=endpoint.url) as client:
        page = client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-cache"
        again = client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", page.headers["etag"])
        assert client.get("/", headers={"if-none-match": '"other"'}).status_code == 200
        head = client.head("/page/main.js")
        assert (head.headers["content-type"], head.content) == ("text/javascript; charset=utf-8", b"")
        assert client.get("/page/none.js").status_code == 404
        assert client.get("/page/../assets.py").status_code == 404
        assert client.post("/").status_code == 405


def test_the_target_of_a_model_of_images_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = {"name": "class", "logical_type": "string", "distinct": 2, "rows": 9, "values": {"cat": 5, "dog": 4}}
    (tmp_path / REFERENCE).write_text(json.dumps({"columns": {"image": {"mean": [1.0]}}, "target": target}))
    assert read_statistics(tmp_path, small_manifest(files={MODEL: "", REFERENCE: ""})).targets == ("class",)
    assert not caplog.records
