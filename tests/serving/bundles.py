"""A small real model, its bundle and a running endpoint, for the tests of this room."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx.parser

from serving.bundle.manifest import MANIFEST, MODEL, BundleManifest, InputRule, InputSpec, OutputSpec
from serving.bundle.read import digest_of_document
from serving.bundle.store import ModelStore

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
        name="distance",
        datatype="FP64",
        tensor="float64",
        logical_type="number",
        nullable=True,
        rules=(InputRule(id="distance.minimum", kind="minimum", argument=0),),
        examples=(1400.0,),
    ),
    InputSpec(
        name="seats",
        datatype="INT64",
        tensor="int64",
        logical_type="integer",
        nullable=False,
        rules=(
            InputRule(id="seats.required", kind="required"),
            InputRule(id="seats.maximum", kind="maximum", argument=2**60),
        ),
    ),
    InputSpec(name="engines", datatype="INT64", tensor="float64", logical_type="integer", nullable=True),
    InputSpec(name="charter", datatype="BOOL", tensor="bool", logical_type="boolean", nullable=False),
    InputSpec(
        name="departs",
        datatype="BYTES",
        tensor="int64",
        logical_type="timestamp",
        nullable=True,
        rules=(InputRule(id="departs.minimum", kind="minimum", argument="2000-01-01T00:00:00Z"),),
    ),
)
OUTPUTS = (
    OutputSpec(name="label", datatype="BYTES", shape=(-1,)),
    OutputSpec(name="probabilities", datatype="FP32", shape=(-1, 2)),
)
_GRAPH = """
<ir_version: 10, opset_import: ["": 18, "ai.onnx.ml": 3]>
small (string[batch] carrier, double[batch] distance, int64[batch] seats, double[batch] engines, bool[batch] charter,
       int64[batch] departs) => (string[batch] label, float[batch, 2] probabilities)
<float bias = {BIAS}, double zero = {0}, double two = {2}, float thousand = {1000}, int64 many = {9007199254740993},
 int64 epoch = {0}, float ten = {10}, float twenty = {20}, float quarter = {0.25}, float half = {0.5}, float one = {1},
 int64[1] last = {1}, string late = {"late"}, string on_time = {"on time"}>
{
    of_carrier = ai.onnx.ml.LabelEncoder <
        keys_strings = ["AA", "B6", "UA"], values_floats = [-1.0, 0.0, 1.0], default_float = 0.5
    > (carrier)
    no_distance = IsNaN(distance)
    known = Where(no_distance, zero, distance)
    known_32 = Cast <to = 1> (known)
    of_distance = Div(known_32, thousand)
    many_seats = Greater(seats, many)
    seats_32 = Cast <to = 1> (many_seats)
    of_seats = Mul(seats_32, twenty)
    many_engines = Greater(engines, two)
    engines_32 = Cast <to = 1> (many_engines)
    of_engines = Mul(engines_32, half)
    charter_32 = Cast <to = 1> (charter)
    of_charter = Mul(charter_32, ten)
    modern = Greater(departs, epoch)
    modern_32 = Cast <to = 1> (modern)
    of_departs = Mul(modern_32, quarter)
    score = Sum(of_carrier, of_distance, of_seats, of_engines, of_charter, of_departs, bias)
    p = Sigmoid(score)
    q = Sub(one, p)
    p_column = Unsqueeze(p, last)
    q_column = Unsqueeze(q, last)
    probabilities = Concat <axis = 1> (q_column, p_column)
    is_late = Greater(p, half)
    label = Where(is_late, late, on_time)
}
"""


def small_model(bias: float = 0.0) -> onnx.ModelProto:
    """Return a model of six raw columns whose probability of being late is the sigmoid of a sum.

    The sum: -1 for AA, 0 for B6, 1 for UA, 0.5 for another carrier; the distance / 1000, 0 where it is null; 20 for
    more than 2**53 + 1 seats; 0.5 for three engines or more; 10 for a charter; 0.25 for a departure after 1970; the
    bias.
    """
    return onnx.parser.parse_model(_GRAPH.replace("BIAS", f"{float(bias):f}"))


def small_manifest(content: bytes = b"", **changes: Any) -> BundleManifest:
    """Return the manifest of a bundle with that model file."""
    files = {MODEL: hashlib.sha256(content).hexdigest()}
    fields: dict[str, Any] = {
        "model": "small",
        "digest": "",
        "files": files,
        "problem": "binary",
        "inputs": INPUTS,
        "outputs": OUTPUTS,
        "classes": ("on time", "late"),
        "proofs": {},
    }
    manifest = BundleManifest(**(fields | changes))
    if "digest" in changes:
        return manifest
    return manifest.model_copy(update={"digest": digest_of_document(manifest.model_dump(mode="json"))})


def write_bundle(folder: Path, graph: onnx.ModelProto | bytes | None = None, **changes: Any) -> None:
    """Fill a folder with a bundle of the small model, or of another model file."""
    content = small_model() if graph is None else graph
    content = content if isinstance(content, bytes) else content.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(content)
    manifest = small_manifest(content, **changes)
    (folder / MANIFEST).write_text(json.dumps(manifest.model_dump(mode="json")))


def promote(root: Path, bias: float = 0.0, name: str = "small") -> str:
    """Register the small model with that bias and make it the champion; return its version."""
    store = ModelStore(root)
    stored = store.register(name, lambda folder: write_bundle(folder, small_model(bias), model=name))
    store.set_champion(name, stored.version)
    return stored.version


def request(rows: int = 1, **columns: Any) -> dict[str, Any]:
    """Return an inference request; each column's values may be given, the others hold usual ones."""
    usual: dict[str, Any] = {
        "carrier": "UA",
        "distance": 500.0,
        "seats": 150,
        "engines": 2,
        "charter": False,
        "departs": "2013-05-01T10:00:00Z",
    }
    inputs = []
    for spec in INPUTS:
        data = columns.get(spec.name, [usual[spec.name]] * rows)
        inputs.append({"name": spec.name, "datatype": spec.datatype, "shape": [len(data)], "data": data})
    return {"inputs": inputs}


@dataclass(frozen=True)
class Endpoint:
    """A running `python -m serving`."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    grpc: str = ""

    def stop(self) -> int:
        """Ask the process to stop and return its exit code."""
        self.process.terminate()
        return self.process.wait(20)


@contextmanager
def serving(
    root: Path, log: Path, *more: str, python: str | Path = sys.executable, module: str = "serving"
) -> Iterator[Endpoint]:
    """Run the real endpoint over a store, on a free port, with more arguments, and wait for its line."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [python, "-m", module, "--store", str(root), "--port", "0", *more],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("headrace serving: http"), line + log.read_text()
        grpc = process.stdout.readline().split()[-1] if any("grpc." in argument for argument in more) else ""
        yield Endpoint(process, line.split()[2], log, grpc)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
