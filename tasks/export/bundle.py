"""Bundles as the training side writes them: a content-addressed folder of files, sealed by `bundle.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from serving.bundle.manifest import MANIFEST, NOT_DIGESTED, BundleManifest
from serving.bundle.read import digest_of_document, read_manifest
from tasks.references import BundleRef
from tasks.storage import digest_file, files_below, new_folder, write_json

PREPROCESSING = "preprocessing.json"
REFERENCE = "reference.json"
CONTRACT = "contract.odcs.yaml"
EVALUATION = "evaluation.json"
PARITY = "parity.json"
VALIDATION = "validation.json"
MEASUREMENTS = "measurements.json"


def write_bundle(
    home: Path, manifest: BundleManifest, proofs: Mapping[str, Any], fill: Callable[[Path], None]
) -> BundleRef:
    """Write a bundle under `home/bundles`, whole or not at all.

    Args:
        home: Headrace's folder.
        manifest: What the model is and how it is called; its `files`, `digest` and `proofs` are replaced.
        proofs: What was shown.
        fill: Puts every file but the manifest into the folder it is given.
    """
    parent = home / "bundles"
    with new_folder(parent, lambda folder: read_manifest(folder).digest) as folder:
        fill(folder)
        digest = _seal(folder, manifest, proofs)
    return BundleRef(path=str(parent / digest), digest=digest, model=manifest.model)


def _seal(folder: Path, manifest: BundleManifest, proofs: Mapping[str, Any]) -> str:
    paths = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    files = {name: digest_file(path) for name, path in sorted(paths.items()) if name not in NOT_DIGESTED}
    document = manifest.model_copy(update={"files": files, "proofs": dict(proofs)}).model_dump(mode="json")
    digest = digest_of_document(document)
    write_json(folder / MANIFEST, document | {"digest": digest})
    return digest
