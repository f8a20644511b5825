"""A candidate bundle of the small model, written without a checkpoint on disk."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import onnx

from serving.bundle.manifest import MODEL, BundleManifest
from tasks.export.bundle import CONTRACT, PREPROCESSING, REFERENCE, write_bundle
from tasks.export.model import build_model, output_specs, serialize
from tasks.export.network import export_network
from tasks.export.prediction_paths import ServingPath, TrainingPath
from tasks.export.raw_columns import input_specs
from tasks.references import BundleRef
from tasks.storage import write_atomic, write_json
from tests.tasks.export import small_model


@dataclass(frozen=True)
class Candidate:
    reference: BundleRef
    training: TrainingPath
    serving: ServingPath


@functools.cache
def exported_network() -> onnx.ModelProto:
    constants = small_model.preprocessing()
    return export_network(small_model.network(constants), len(constants.numeric), len(constants.categorical))


def write_candidate(home: Path, *, trained_on: str = "some data") -> Candidate:
    """Write a candidate; another `trained_on` gives another digest."""
    constants = small_model.preprocessing()
    manifest = BundleManifest(
        model="orders",
        digest="",
        files={},
        problem="binary",
        inputs=input_specs(small_model.contract(), constants),
        outputs=output_specs(constants.target.classes),
        classes=constants.target.classes,
        proofs={},
    )
    model = build_model(constants, manifest.inputs, exported_network(), {"model": "orders"})

    def fill(folder: Path) -> None:
        write_atomic(folder / MODEL, serialize(model))
        write_json(folder / PREPROCESSING, constants.model_dump(mode="json"))
        write_json(folder / REFERENCE, {"trained_on": trained_on})
        write_atomic(folder / CONTRACT, b"name: orders\n")

    reference = write_bundle(home, manifest, {"contract": {"name": "orders", "digest": "c0"}}, fill)
    training = TrainingPath(constants, small_model.network(constants))
    return Candidate(reference, training, ServingPath.open(Path(reference.path), manifest))
