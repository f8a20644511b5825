from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from data_contracts.contract import Contract
from data_contracts.loader import load_contract
from tasks.calibration.calibrate import Calibration, write_calibration
from tasks.calibration.quality import Quality
from tasks.data.arrow_files import ARROW
from tasks.data.partitions import Manifest, part_name, stored, write_manifest, write_partition
from tasks.export.export import run_export
from tasks.models.checkpoint import ModelDescription, write_checkpoint
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec
from tasks.prediction.decision import Decision
from tasks.preprocessing.constants import NumericFeature, Preprocessing
from tasks.references import BundleRef, CalibrationRef, CheckpointRef, DatasetRef, PreprocessingRef, SplitRef
from tasks.storage import write_json
from tests.tasks.export import small_model

_PROPERTIES = "\n".join(
    f"      - {{name: {column.name}, logicalType: {column.logical_type}, required: {str(column.required).lower()}}}"
    for column in small_model.contract().columns
)
ODCS = f"""\
apiVersion: v3.1.0
kind: DataContract
id: orders
name: orders
version: 1.2.0
status: active
schema:
  - name: orders
    logicalType: object
    properties:
{_PROPERTIES}
"""


@dataclass(frozen=True)
class Trained:
    """What stands on disk after training: everything that export and verification ask for."""

    home: Path
    contract: Contract
    preprocessing: PreprocessingRef
    checkpoint: CheckpointRef
    calibration: CalibrationRef
    clean: DatasetRef
    split: SplitRef


def with_edges(constants: Preprocessing) -> Preprocessing:
    """Give the numeric features the bin edges that piecewise-linear embeddings read."""
    edges = (-1.5, -0.5, 0.0, 0.5, 2.0)

    def edged(feature: NumericFeature) -> NumericFeature:
        return feature.model_copy(update={"edges": () if feature.kind == "is_null" else edges})

    return constants.model_copy(update={"numeric": tuple(edged(feature) for feature in constants.numeric)})


def write_dataset(home: Path, tables: list[pa.Table], codes: list[np.ndarray]) -> tuple[DatasetRef, SplitRef]:
    staged = home / "staged"
    written = [write_partition(staged, part_name(index), table) for index, table in enumerate(tables)]
    manifest = Manifest(
        columns={field.name: str(field.type) for field in small_model.SCHEMA},
        partitions=tuple(each.partition for each in written),
        digests={each.partition.path: each.digest for each in written},
    )
    write_manifest(staged, manifest)
    clean = stored(home, manifest)
    Path(clean.path).parent.mkdir(parents=True)
    staged.rename(clean.path)
    for index, values in enumerate(codes):
        write_partition(home / "split", part_name(index, ARROW), pa.table({"split": pa.array(values)}))
    rows = {
        name: int(sum((each == code).sum() for each in codes))
        for code, name in enumerate(("train", "validation", "test"))
    }
    return clean, SplitRef(path=str(home / "split"), digest="s0", rows=rows)


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A network of the registry with fresh weights: parity does not care how well it predicts."""
    home = tmp_path_factory.mktemp("home")
    (home / "orders.odcs.yaml").write_text(ODCS)
    constants = with_edges(small_model.preprocessing())
    write_json(home / "preprocessing" / "p0" / "preprocessing.json", constants.model_dump(mode="json"))
    write_json(home / "preprocessing" / "p0" / "reference.json", {"rows": 300})
    config = MlpPleConfig(hidden=(16, 16), numeric_width=4, categorical_width=4)
    features = FeatureSpec.of(constants)
    torch.manual_seed(0)
    weights = build_network(config, features).state_dict()
    description = ModelDescription(
        model=config, features=features, target=constants.target, best_round=1, training="t0"
    )
    codes = [np.arange(200, dtype=np.uint8) % 3, np.zeros(50, np.uint8), np.full(100, 2, np.uint8)]
    tables = [small_model.some_rows(len(each), seed=seed) for seed, each in enumerate(codes)]
    clean, split = write_dataset(home, tables, codes)
    checkpoint = write_checkpoint(home, description, weights, [])
    return Trained(
        home=home,
        contract=load_contract(home / "orders.odcs.yaml"),
        preprocessing=PreprocessingRef(path=str(home / "preprocessing" / "p0"), digest="p0"),
        checkpoint=checkpoint,
        calibration=calibrated(home, checkpoint),
        clean=clean,
        split=split,
    )


def calibrated(home: Path, checkpoint: CheckpointRef) -> CalibrationRef:
    """Write a calibration that was found, say, on other rows."""
    measured = Quality(measures={"log_loss": 0.7, "ece": 0.1})
    found = Calibration(
        checkpoint=checkpoint.digest, rows=9, method="temperature", before=measured, after=measured, thresholds=()
    )
    return write_calibration(Decision(temperature=1.25, thresholds=(0.375,)), found, home)


@pytest.fixture(scope="package")
def bundle(trained: Trained) -> BundleRef:
    return export(trained, trained.home)


def export(trained: Trained, home: Path, **changes: Any) -> BundleRef:
    """Export what was trained, or something else in a part's place."""
    parts: dict[str, Any] = {
        "contract": trained.contract,
        "preprocessing": trained.preprocessing,
        "checkpoint": trained.checkpoint,
        "calibration": trained.calibration,
    }
    return run_export("orders", home=home, **(parts | changes))
