"""Read a bundle, believing nothing: every file against its SHA-256, the manifest against its own digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from serving.bundle.errors import BundleError, RemoteError
from serving.bundle.graph import check_graph
from serving.bundle.manifest import MANIFEST, MODEL, NOT_DIGESTED, BundleManifest


def open_bundle(path: Path) -> BundleManifest:
    """Check a whole bundle and return its manifest.

    Raises:
        BundleError: A file is missing or altered, the manifest is not valid, or the graph is refused.
        RemoteError: The bundle is in an object store that refuses or does not answer: nothing is known of the bundle.
    """
    return read_bundle(path)[0]


def read_bundle(path: Path) -> tuple[BundleManifest, bytes]:
    """Check a whole bundle; return its manifest and the very bytes of the model that were checked.

    Raises:
        BundleError: As `open_bundle`.
    """
    manifest = read_manifest(path)
    for name, expected in manifest.files.items():
        _check_file(path / name, expected)
    model = _content(path / MODEL)
    # The file may have changed since its digest was taken above: only these bytes will be run.
    _check_digest(path / MODEL, hashlib.sha256(model).hexdigest(), manifest.files[MODEL])
    check_graph(path / MODEL, model)
    return manifest, model


def read_manifest(path: Path) -> BundleManifest:
    """Read and check `bundle.json` alone; the files it names are not opened.

    Raises:
        BundleError: It is missing, not valid, does not match its own digest, or names files outside the bundle.
    """
    file = path / MANIFEST
    content = _content(file)
    try:
        manifest = BundleManifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("format",):
            raise BundleError.at(
                file,
                f"written by another Headrace: its format is {first['input']!r:.20}, and this one reads 1",
                do=f"use the Headrace that wrote it, or move {path.parent} away and run its pipeline again",
            ) from error
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise BundleError.at(file, f"not a valid manifest: {place}: {first['msg']}") from error
    if MODEL not in manifest.files:
        raise BundleError.at(file, f"the manifest names no {MODEL}")
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or name in NOT_DIGESTED:
            raise BundleError.at(file, f"{name!r:.120} cannot be a digested file of a bundle")
    _check_digest(file, digest_of_document(json.loads(content)), manifest.digest)
    return manifest


def digest_of_document(document: Mapping[str, Any]) -> str:
    """Return a bundle's digest: SHA-256, in hex, of `bundle.json` without its `digest`.

    The document names the SHA-256 of every file, so its digest covers them too. It is taken as canonical JSON (sorted
    keys, no spaces) of what the file holds, not of the manifest's fields: a later field changes no old bundle.
    """
    counted = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except RemoteError:
        raise
    except OSError as error:
        raise BundleError.at(path, f"cannot be read: {error.strerror}") from error


def _check_file(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except RemoteError:
        raise
    except OSError as error:
        raise BundleError.at(path, f"cannot be read: {error.strerror}") from error
    _check_digest(path, digest, expected)


def _check_digest(path: Path, got: str, expected: str) -> None:
    if got != expected:
        raise BundleError.at(path, f"altered since it was exported: expected SHA-256 {expected}, got {got}")
