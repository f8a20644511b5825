"""The trial load: the real server process, over a store that holds one bundle, answers one real record."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from serving.bundle.store import ModelStore
from tasks.export.sample import Sample
from tasks.export.standards import LABEL, PROBABILITIES
from tasks.promotion.server_process import ServerError, serving_process
from tasks.promotion.version import copy_bundle


class Trial(BaseModel):
    """What the server process did.

    Attributes:
        difference: The largest difference of a probability from the training path's; None where no answer came.
        failure: Why the trial failed, with the end of the server's output; None where it answered with the right label.
        ready_seconds: From starting the process to its being ready.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    difference: float | None = None
    failure: str | None = None
    ready_seconds: float | None = None


def run_trial(bundle: Path, model: str, sample: Sample, limit_seconds: float) -> Trial:
    """Start `python -m serving` over a temporary store with this bundle, ask the sample, and stop it again.

    Args:
        bundle: The bundle's folder.
        model: Its model's name.
        sample: The request and the answer that it must get.
        limit_seconds: How long the server may take to be ready.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-trial-") as name:
        store = ModelStore(Path(name) / "models")
        version = store.register(model, lambda folder: copy_bundle(bundle, folder))
        store.set_champion(model, version.version)
        start = time.monotonic()
        try:
            with serving_process(store.root, Path(name) / "output") as server:
                port = server.wait_until_ready(model, limit_seconds)
                ready_seconds = time.monotonic() - start
                answer = _outputs(server.infer(port, model, json.dumps(sample.request).encode()))
            difference = _compare(answer, sample)
        except ServerError as error:
            return Trial(failure=str(error))
    return Trial(difference=difference, ready_seconds=round(ready_seconds, 3))


def _outputs(body: bytes) -> Mapping[str, Any]:
    try:
        return {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise ServerError(f"the server's answer cannot be read ({error!r}): {body[:200]!r}") from error


def _compare(answer: Mapping[str, Any], sample: Sample) -> float:
    missing = {LABEL, PROBABILITIES} - answer.keys()
    if missing:
        raise ServerError(f"the server's answer lacks {', '.join(sorted(missing))}")
    if answer[LABEL] != [sample.label]:
        raise ServerError(f"expected the label {sample.label!r}, got {answer[LABEL]!r}")
    got = answer[PROBABILITIES]
    if len(got) != len(sample.probabilities):
        raise ServerError(f"expected {len(sample.probabilities)} probabilities, got {got!r}")
    return float(max(abs(a - b) for a, b in zip(got, sample.probabilities, strict=True)))
