"""Export: fitted constants and a trained network become one ONNX model in a candidate bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from data_contracts.contract import Contract
from data_contracts.loader import load_contract
from serving.bundle.manifest import MODEL, BundleManifest
from tasks.errors import IntegrityError
from tasks.export.bundle import CONTRACT, PREPROCESSING, REFERENCE, write_bundle
from tasks.export.model import build_model, output_specs, serialize
from tasks.export.network import export_network
from tasks.export.raw_columns import input_specs
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.references import BundleRef, CheckpointRef, PreprocessingRef
from tasks.storage import copy_file, write_atomic
from tasks.training.checkpoint import load_network


def run_export(
    model: str, contract: Contract, preprocessing: PreprocessingRef, checkpoint: CheckpointRef, home: Path
) -> BundleRef:
    """Write a candidate bundle, content-addressed, under `home/bundles`.

    Args:
        model: The model's name, as in the endpoint's path.
        contract: The contract that the data was validated against.
        preprocessing: Fitted constants.
        checkpoint: The trained network.
        home: Headrace's folder.

    Raises:
        ConfigError: Contract and preprocessing do not fit together.
        IntegrityError: The contract's file is gone or has changed since it was loaded.
    """
    constants = read_preprocessing(preprocessing)
    manifest = _manifest(model, contract, constants)

    def fill(folder: Path) -> None:
        _copy_contract(contract, folder / CONTRACT)
        for name in (PREPROCESSING, REFERENCE):
            copy_file(preprocessing.folder / name, folder / name)
        network = export_network(load_network(checkpoint), len(constants.numeric), len(constants.categorical))
        graph = build_model(constants, manifest.inputs, network, _about(model, contract, constants))
        write_atomic(folder / MODEL, serialize(graph))

    proofs = {"contract": {"name": contract.name, "version": contract.version, "digest": contract.digest}}
    return write_bundle(home, manifest, proofs, fill)


def _manifest(model: str, contract: Contract, preprocessing: Preprocessing) -> BundleManifest:
    classes = preprocessing.target.classes
    return BundleManifest(
        model=model,
        digest="",
        files={},
        problem="binary" if len(classes) == 2 else "multiclass",
        inputs=input_specs(contract, preprocessing),
        outputs=output_specs(classes),
        classes=classes,
        proofs={},
    )


def _about(model: str, contract: Contract, preprocessing: Preprocessing) -> dict[str, str]:
    return {
        "model": model,
        "contract.name": contract.name,
        "contract.version": contract.version,
        "contract.digest": contract.digest,
        "classes": json.dumps(preprocessing.target.classes, ensure_ascii=False),
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
        copied = load_contract(copy).digest
        copy_file(copy, target)
    if copied != contract.digest:
        raise IntegrityError(
            f"{contract.path}: the contract changed while the pipeline ran: expected digest {contract.digest}, "
            f"got {copied}\n  do: run the pipeline again, so that the data is validated against the new contract"
        )
