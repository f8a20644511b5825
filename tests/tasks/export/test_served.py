"""Every kind of problem through its bundle and the endpoint's own application."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import pyarrow as pa
import pytest

from pipelines.answers import in_words
from serving.bundle.read import open_bundle
from serving.bundle.store import ModelStore
from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.asgi import App
from tasks.export.parity import measure_parity
from tasks.export.sample import Sample, take_sample
from tasks.promotion.trial import compare_answer
from tasks.promotion.version import copy_bundle
from tests.tasks.export import small_model
from tests.tasks.export.small_bundle import Candidate, write_linear
from tests.tasks.prediction.cases import CASES

SERVED = [
    "binary, threshold",
    "binary, isotonic",
    "multiclass, temperature",
    "multiclass, isotonic",
    "multilabel, isotonic",
    "regression",
    "quantile, conformal",
]


async def ask(app: App, sample: Sample) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://endpoint") as client:
        answer = await client.post("/v2/models/orders/infer", json=dict(sample.request))
        assert answer.status_code == 200, answer.text
        metadata, page = await client.get("/v2/models/orders"), await client.get("/openapi.json")
        return answer.json(), metadata.json(), page.json()


def served(home: Path, candidate: Candidate) -> App:
    store = ModelStore(home / "models")
    bundle = Path(candidate.reference.path)
    version = store.register("orders", lambda folder: copy_bundle(bundle, folder))
    store.set_champion("orders", version.version)
    app = App(Service(ServeConfig(store=store.root)))
    app.service.served.refresh()
    return app


@pytest.mark.parametrize("case", SERVED)
def test_the_endpoint_answers_what_the_training_path_does(case: str, tmp_path: Path) -> None:
    target, decision = CASES[case]
    candidate = write_linear(tmp_path, target, decision)
    rows = small_model.some_rows(1000, seed=5)
    parity = measure_parity(candidate.training, candidate.serving, [rows])
    assert parity.max_difference < 1e-5
    assert (parity.rows, parity.label_flips, parity.non_finite) == (1000, 0, 0)
    _require_variety(candidate, rows)
    sample = take_sample(candidate.training, candidate.serving, rows.slice(7, 1))
    answer, metadata, page = asyncio.run(ask(served(tmp_path, candidate), sample))
    assert compare_answer({each["name"]: each["data"] for each in answer["outputs"]}, sample) < 1e-5
    asked = [{key: each[key] for key in ("name", "datatype")} for each in metadata["outputs"]]
    assert asked == [{key: each[key] for key in ("name", "datatype")} for each in answer["outputs"]]
    described = page["paths"]["/v2/models/orders/infer"]["post"]["responses"]["200"]["content"]["application/json"]
    jsonschema.Draft202012Validator(described["schema"] | {"components": page["components"]}).validate(answer)
    manifest = open_bundle(Path(candidate.reference.path))
    assert manifest.problem == target.problem
    assert len(list(in_words(manifest, answer))) == len(manifest.outputs)


def _require_variety(candidate: Candidate, rows: pa.Table) -> None:
    """The rows that were compared must have had different answers, or the comparison proves nothing."""
    for name, tensor in candidate.serving.predict(rows).items():
        assert len(np.unique(tensor)) > 1, name
