"""A model with a contract, for requests that try to break the endpoint: columns of every kind, and rules on them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx.parser

from serving.bundle.manifest import MANIFEST, MODEL, BundleManifest, InputRule, InputSpec, OutputSpec, TextRepair
from serving.bundle.read import digest_of_document
from serving.bundle.store import ModelStore

NAME = "columns"
INPUTS = (
    InputSpec(
        name="carrier",
        datatype="BYTES",
        tensor="string",
        logical_type="string",
        nullable=True,
        rules=(InputRule(id="carrier.enum", kind="enum", argument=("AA", "B6", "UA")),),
    ),
    InputSpec(
        name="tail",
        datatype="BYTES",
        tensor="string",
        logical_type="string",
        nullable=True,
        rules=(InputRule(id="tail.pattern", kind="pattern", argument="^N([0-9A-Z]+)+$"),),
    ),
    InputSpec(
        name="distance",
        datatype="FP64",
        tensor="float64",
        logical_type="number",
        nullable=True,
        rules=(
            InputRule(id="distance.minimum", kind="minimum", argument=0),
            InputRule(id="distance.multiple_of", kind="multiple_of", argument=0.5),
        ),
        repair=TextRepair(thousands_separator=","),
    ),
    InputSpec(name="seats", datatype="INT64", tensor="int64", logical_type="integer", nullable=False),
    InputSpec(name="engines", datatype="INT64", tensor="float64", logical_type="integer", nullable=True),
    InputSpec(
        name="charter",
        datatype="BOOL",
        tensor="bool",
        logical_type="boolean",
        nullable=False,
        repair=TextRepair(synonyms={"oui": "true"}),
    ),
    InputSpec(
        name="departs",
        datatype="BYTES",
        tensor="int64",
        logical_type="timestamp",
        nullable=True,
        zone="America/New_York",
    ),
    InputSpec(name="day", datatype="BYTES", tensor="int64", logical_type="date", nullable=True),
)
OUTPUTS = (
    OutputSpec(name="label", datatype="BYTES", shape=(-1,)),
    OutputSpec(name="probabilities", datatype="FP32", shape=(-1, 2)),
)
USUAL: dict[str, Any] = {
    "carrier": "UA",
    "tail": "N14228",
    "distance": 500.5,
    "seats": 150,
    "engines": 2,
    "charter": False,
    "departs": "2013-05-01T10:00:00Z",
    "day": "2013-05-01",
}
_GRAPH = """
<ir_version: 10, opset_import: ["": 18, "ai.onnx.ml": 3]>
columns (string[n] carrier, string[n] tail, double[n] distance, int64[n] seats, double[n] engines, bool[n] charter,
         int64[n] departs, int64[n] day) => (string[n] label, float[n, 2] probabilities)
<float half = {0.5}, float one = {1}, int64[1] last = {1}, string late = {"late"}, string on_time = {"on time"}>
{
    known = ai.onnx.ml.LabelEncoder <
        keys_strings = ["AA", "B6", "UA"], values_floats = [-1.0, 0.0, 1.0], default_float = 0.5
    > (carrier)
    plane = ai.onnx.ml.LabelEncoder <keys_strings = ["N14228"], values_floats = [1.0], default_float = 0.0> (tail)
    far = Cast <to = 1> (distance)
    full = Cast <to = 1> (seats)
    power = Cast <to = 1> (engines)
    extra = Cast <to = 1> (charter)
    when = Cast <to = 1> (departs)
    date = Cast <to = 1> (day)
    score = Sum(known, plane, far, full, power, extra, when, date)
    p = Sigmoid(score)
    q = Sub(one, p)
    p_column = Unsqueeze(p, last)
    q_column = Unsqueeze(q, last)
    probabilities = Concat <axis = 1> (q_column, p_column)
    is_late = Greater(p, half)
    label = Where(is_late, late, on_time)
}
"""


def write_columns(root: Path) -> None:
    """Register the model in a store and make it the champion."""
    store = ModelStore(root)
    stored = store.register(NAME, _write_bundle)
    store.set_champion(NAME, stored.version)


def _write_bundle(folder: Path) -> None:
    content = onnx.parser.parse_model(_GRAPH).SerializeToString()
    manifest = BundleManifest(
        model=NAME,
        digest="",
        files={MODEL: hashlib.sha256(content).hexdigest()},
        problem="binary",
        classes=("on time", "late"),
        inputs=INPUTS,
        outputs=OUTPUTS,
        proofs={},
    )
    document = manifest.model_dump(mode="json")
    (folder / MODEL).write_bytes(content)
    (folder / MANIFEST).write_text(json.dumps(document | {"digest": digest_of_document(document)}))
