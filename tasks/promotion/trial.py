"""The trial load: the real server process, over a store that holds one bundle, answers one real record."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from serving.bundle.store import ModelStore
from tasks.export.sample import Sample
from tasks.promotion.server_process import ServerError, serving_process
from tasks.promotion.version import copy_bundle


class Trial(BaseModel):
    """What the server process did.

    Attributes:
        difference: The largest difference of a probability or number from the training path's, as
            `tasks.export.parity.Parity` measures it; None where no answer came.
        failure: Why the trial failed, with the end of the server's output; None where it
            answered with the right labels.
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
            difference = compare_answer(answer, sample)
        except ServerError as error:
            return Trial(failure=str(error))
    return Trial(difference=difference, ready_seconds=round(ready_seconds, 3))


def _outputs(body: bytes) -> Mapping[str, Any]:
    try:
        return {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise ServerError(f"the server's answer cannot be read ({error!r}): {body[:200]!r}") from error


def compare_answer(answer: Mapping[str, Any], sample: Sample) -> float:
    """Return the largest difference of a number in the server's answer, by output, from the one that it must give.

    Raises:
        ServerError: An output is missing, or labels are not the same.
    """
    missing = sample.answer.keys() - answer.keys()
    if missing:
        raise ServerError(f"the server's answer lacks {', '.join(sorted(missing))}")
    return max(_difference(name, wanted, answer[name], sample.unit) for name, wanted in sample.answer.items())


def _difference(name: str, wanted: Sequence[Any], got: Sequence[Any], unit: float) -> float:
    """Return how far numbers are apart; anything else must be the same."""
    if not isinstance(wanted[0], float):
        if list(wanted) != got:
            raise ServerError(f"output {name}: expected {list(wanted)}, got {got!r}")
        return 0.0
    if len(got) != len(wanted) or None in got:
        raise ServerError(f"output {name}: expected {len(wanted)} finite numbers, got {got!r}")
    return float(max(abs(a - b) for a, b in zip(got, wanted, strict=True))) / unit
