"""A version of a model: the candidate's bundle completed with everything that was shown about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.bundle.manifest import MANIFEST
from serving.bundle.read import open_bundle
from tasks.errors import IntegrityError
from tasks.export.bundle import EVALUATION, PARITY, VALIDATION, write_bundle
from tasks.export.verify import Certificate
from tasks.references import BundleRef, EvaluationRef, ValidationRef
from tasks.storage import copy_file, write_json

METRICS = "metrics.json"


def complete_bundle(
    candidate: BundleRef, evaluation: EvaluationRef, certificate: Certificate, validation: ValidationRef, home: Path
) -> BundleRef:
    """Write the candidate's files with its metrics, parity and validation as a bundle of their own.

    Everything in it is the same whenever the same data, config and seed are, so its digest is too.

    Raises:
        BundleError: The candidate is broken.
        IntegrityError: The certificate belongs to another bundle, or the evaluation is gone.
    """
    folder = candidate.folder
    manifest = open_bundle(folder)
    if certificate.bundle != candidate.digest:
        raise IntegrityError(
            f"{folder}: the certificate is of bundle {certificate.bundle}, not of {candidate.digest}\n"
            "  do: verify this bundle"
        )
    measured = _read_json(evaluation.folder / METRICS)
    validated = validation.model_dump(mode="json", exclude={"path"})

    def fill(target: Path) -> None:
        for name in manifest.files:
            copy_file(folder / name, target / name)
        write_json(target / EVALUATION, measured)
        write_json(target / PARITY, certificate.lasting)
        write_json(target / VALIDATION, validated)

    proofs = {
        **manifest.proofs,
        "data": dict(certificate.data),
        "validation": validated,
        "metrics": measured["test"],
        "parity": {"test": certificate.test.model_dump(), "generated": certificate.generated.model_dump()},
    }
    return write_bundle(home, manifest, proofs, fill)


def held_out_metrics(bundle: Path) -> dict[str, float]:
    """Return the metrics of a complete bundle on the test split it was evaluated on.

    Raises:
        IntegrityError: The bundle holds no evaluation.
    """
    metrics: Mapping[str, Any] = _read_json(bundle / EVALUATION)["test"]
    return {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}


def copy_bundle(bundle: Path, target: Path) -> None:
    """Copy the files of a bundle that its manifest names, and the manifest."""
    for name in (*open_bundle(bundle).files, MANIFEST):
        copy_file(bundle / name, target / name)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise IntegrityError(
            f"{path}: the file is gone\n"
            "  do: run the pipeline again, which rebuilds what is missing; if it is the champion's, roll back first"
        ) from error
