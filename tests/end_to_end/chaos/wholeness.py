"""What must hold after a run was hurt and run again."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

from serving.bundle.errors import BundleError
from serving.bundle.read import open_bundle
from serving.bundle.store import ModelStore
from tasks.data.partitions import MANIFEST, Manifest
from tasks.data.typed_rows import digested_files
from tasks.export.verify import read_certificate
from tasks.references import CertificateRef
from tasks.retention.items import CONTENT
from tasks.storage import beside, digest_file, digest_folder, digest_of

MARK = "HEADRACE_CHAOS"


def torn(home: Path) -> list[str]:
    """Return the folders that look whole and are not: their files do not give the digest they are named by."""
    named = [(kind, folder) for kind in CONTENT for folder in sorted((home / kind).glob("[!.]*"))]
    broken = [f"{kind}/{folder.name}" for kind, folder in named if not _is_whole(kind, folder)]
    store = ModelStore(home / "models")
    versions = [(model, version) for model in store.models() for version in store.versions(model)]
    return broken + [f"models/{model}/{version}" for model, version in versions if not _opens(store, model, version)]


def _opens(store: ModelStore, model: str, version: str) -> bool:
    try:
        open_bundle(store.bundle_path(model, version))
    except BundleError:
        return False
    return True


def _is_whole(kind: str, folder: Path) -> bool:
    try:
        if kind == "bundles":
            return open_bundle(folder).digest == folder.name
        if kind == "datasets":
            return _is_whole_dataset(folder)
        if kind == "certificates":
            certificate, sample = read_certificate(CertificateRef(path=str(folder), digest=folder.name))
            return folder.name == digest_of(
                {"certificate": certificate.lasting, "sample": sample.model_dump(mode="json")}
            )
    except (ValueError, FileNotFoundError):
        return False
    leave_out = digested_files(folder) if kind == "validations" else frozenset[str]()
    return digest_folder(folder, leave_out=leave_out) == folder.name


def _is_whole_dataset(folder: Path) -> bool:
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    files = {beside(folder, name): digest for name, digest in manifest.digests.items()}
    return manifest.digest == folder.name and all(digest_file(path) == digest for path, digest in files.items())


def champion_digest(home: Path, model: str) -> str | None:
    """Return the digest of the model that the endpoint would serve."""
    champion = ModelStore(home / "models").champion(model)
    return None if champion is None else champion.digest


def left_over(mark: str, seconds: float) -> list[str]:
    """Return the commands of processes that a run started and that are still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while alive := marked(mark):
        if time.monotonic() > deadline:
            return [f"{process.pid} {command_of(process)[-120:]}" for process in alive]
        time.sleep(0.1)
    return []


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes that have a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def command_of(process: psutil.Process) -> str:
    """Return a process's command line, also of one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "(gone since)"
