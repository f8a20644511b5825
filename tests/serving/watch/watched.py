"""The small model with a masked column and the statistics of its training data, and an endpoint that watches it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from serving.bundle.manifest import MODEL
from serving.bundle.store import ModelStore
from serving.service.exchange import Exchange, Response
from serving.watch.expected import PREPROCESSING, REFERENCE
from tests.serving.bundles import INPUTS, small_model, write_bundle

SPECS = tuple(spec.model_copy(update={"masked": spec.name == "engines"}) for spec in INPUTS)
_STATISTICS: dict[str, Any] = {
    REFERENCE: {
        "columns": {"distance": {"minimum": 10.0, "maximum": 5000.0}, "seats": {"minimum": 2.0, "maximum": 400.0}}
    },
    PREPROCESSING: {"categorical": [{"column": "carrier", "part": None, "vocabulary": ["AA", "UA"]}]},
}
INFER = "/v2/models/small/infer"


def promote_watched(root: Path) -> None:
    """Make the small model the champion of a store, `engines` masked; B6 was not in its training data."""
    store = ModelStore(root)

    def write(folder: Path) -> None:
        graph = small_model().SerializeToString()
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in _STATISTICS.items():
            (folder / name).write_text(json.dumps(document))
        contents = {name: (folder / name).read_bytes() for name in _STATISTICS} | {MODEL: graph}
        files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        write_bundle(folder, graph, inputs=SPECS, files=files)

    store.set_champion("small", store.register("small", write).version)


def finished(path: str = INFER, **learned: Any) -> Exchange:
    """Return an exchange of which the endpoint has learned something."""
    exchange = Exchange("POST", path, "", learned.pop("headers", ()), "10.0.0.1", lambda _response: None)
    for name, value in learned.items():
        setattr(exchange, name, value)
    return exchange


OK = Response(200, b"{}")


def scrape(url: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the metrics: by name, and by the labels' values in the order of their names."""
    answer = httpx.get(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found
