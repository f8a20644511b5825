"""Export: fitted constants, a trained model and its decision become one ONNX model in a candidate bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data_contracts.contract import Contract
from data_contracts.odcs_file import read_contract_file
from serving.bundle.manifest import MODEL, BundleManifest
from tasks.calibration.calibrate import read_calibration
from tasks.errors import IntegrityError
from tasks.export.bundle import CONTRACT, PREPROCESSING, REFERENCE, write_bundle
from tasks.export.model import build_model, serialize
from tasks.export.outputs import output_specs
from tasks.export.raw_columns import input_specs
from tasks.export.scores import export_scores
from tasks.models.checkpoint import load_predictor
from tasks.prediction.decision import DECISION, read_decision
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.references import BundleRef, CalibrationRef, CheckpointRef, PreprocessingRef
from tasks.storage import copy_file, write_atomic


def run_export(
    model: str,
    contract: Contract,
    preprocessing: PreprocessingRef,
    checkpoint: CheckpointRef,
    calibration: CalibrationRef,
    home: Path,
) -> BundleRef:
    """Write a candidate bundle, content-addressed, under `home/bundles`.

    Args:
        model: The model's name, as in the endpoint's path.
        contract: The contract that the data was validated against.
        preprocessing: Fitted constants.
        checkpoint: The trained model.
        calibration: Its calibration and thresholds.
        home: Headrace's folder.

    Raises:
        ConfigError: Contract and preprocessing do not fit together.
        IntegrityError: The contract's file is gone or has changed since it was loaded, or the calibration is not
            whole or of another checkpoint.
    """
    constants = read_preprocessing(preprocessing)
    manifest = _manifest(model, contract, constants)
    fitted, decision = read_calibration(calibration, checkpoint), read_decision(calibration)

    def fill(folder: Path) -> None:
        _copy_contract(contract, folder / CONTRACT)
        for name in (PREPROCESSING, REFERENCE):
            copy_file(preprocessing.folder / name, folder / name)
        copy_file(calibration.folder / DECISION, folder / DECISION)
        scores = export_scores(load_predictor(checkpoint), len(constants.numeric), len(constants.categorical))
        about = _about(model, contract, constants.target)
        graph = build_model(constants, manifest.inputs, scores, decision, about)
        write_atomic(folder / MODEL, serialize(graph))

    proofs = {
        "contract": {"name": contract.name, "version": contract.version, "digest": contract.digest},
        "checkpoint": {"digest": checkpoint.digest},
        "calibration": {"digest": calibration.digest, **fitted.proof},
    }
    return write_bundle(home, manifest, proofs, fill)


def _manifest(model: str, contract: Contract, preprocessing: Preprocessing) -> BundleManifest:
    target = preprocessing.target
    return BundleManifest(
        model=model,
        digest="",
        files={},
        problem=target.problem,
        inputs=input_specs(contract, preprocessing),
        outputs=output_specs(target),
        proofs={},
        **meaning(target),
    )


def meaning(target: Target) -> dict[str, Any]:
    """Return what the outputs' columns stand for, as the manifest has it: `classes`, `labels` or `quantiles`."""
    match target:
        case ClassTarget(classes=classes):
            return {"classes": classes}
        case LabelsTarget(labels=labels):
            return {"labels": labels}
        case NumberTarget(quantiles=quantiles):
            return {"quantiles": quantiles}


def _about(model: str, contract: Contract, target: Target) -> dict[str, str]:
    columns = {name: json.dumps(values, ensure_ascii=False) for name, values in meaning(target).items() if values}
    return {
        "model": model,
        "contract.name": contract.name,
        "contract.version": contract.version,
        "contract.digest": contract.digest,
        "problem": target.problem,
        **columns,
    }


def _copy_contract(contract: Contract, target: Path) -> None:
    with TemporaryDirectory() as scratch:
        # What is judged is what is kept: the contract's file itself may change between two looks at it.
        copy = Path(scratch) / target.name
        try:
            shutil.copyfile(contract.path, copy)
        except FileNotFoundError as error:
            raise IntegrityError(
                f"{contract.path}: the contract's file is gone\n  do: put it back and run the pipeline again"
            ) from error
        copied = read_contract_file(copy).digest()
        copy_file(copy, target)
    if copied != contract.digest:
        raise IntegrityError(
            f"{contract.path}: the contract changed while the pipeline ran: expected digest {contract.digest}, "
            f"got {copied}\n  do: run the pipeline again, so that the data is validated against the new contract"
        )
