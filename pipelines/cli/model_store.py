"""The model store as the commands about models use it."""

from __future__ import annotations

import json

from serving.bundle.store import ModelStore
from tasks.errors import GateRefusedError
from tasks.storage import headrace_home


def model_store() -> ModelStore:
    """Return the home's model store."""
    return ModelStore(headrace_home() / "models")


def known_versions(store: ModelStore, model: str) -> str:
    """Return a model's versions for a message."""
    return ", ".join(store.versions(model)) or "none"


def require_proof(store: ModelStore, model: str, version: str) -> None:
    """See that every gate let a version pass.

    Raises:
        GateRefusedError: One refused it, or none ever judged it.
    """
    path = store.bundle_path(model, version) / "measurements.json"
    gates = json.loads(path.read_bytes())["gates"] if path.is_file() else []
    refused = [gate["gate"] for gate in gates if not gate["passed"]]
    if refused or not gates:
        reason = f"refused by {', '.join(refused)}" if refused else "never judged by a gate"
        raise GateRefusedError(
            f"{model} version {version} was {reason}\n"
            "  do: change the gates in the pipeline's config and run it again; what has not changed is reused"
        )
