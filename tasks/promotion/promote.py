"""Promotion: a candidate becomes a version of its model, and the champion only if every gate holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveFloat

from serving.bundle.store import ModelStore, StoredVersion
from tasks.export.bundle import MEASUREMENTS
from tasks.export.verify import Certificate, read_certificate
from tasks.promotion.gates import GateConfig, GateOutcome, ParityGate, check_gates, judge
from tasks.promotion.trial import Trial, run_trial
from tasks.promotion.version import complete_bundle, copy_bundle, held_out_metrics
from tasks.references import BundleRef, CertificateRef, EvaluationRef, ValidationRef
from tasks.storage import naming_full_disk, write_json


class PromoteConfig(BaseModel):
    """How a candidate is judged.

    Attributes:
        gates: What must hold.
        trial_seconds: How long the server process of the trial load may take to be ready.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gates: GateConfig = GateConfig()
    trial_seconds: PositiveFloat = 60.0


class Promotion(BaseModel):
    """What came of it.

    Attributes:
        version: The version that the candidate has in the model store, whether promoted or not.
        digest: That version's bundle.
        promoted: Whether the version is the champion now.
        champion: The champion's version now, None where there is none.
        outcomes: Every gate, the trial load last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: str
    digest: str
    promoted: bool
    champion: str | None
    outcomes: tuple[GateOutcome, ...]


def run_promote(
    candidate: BundleRef,
    evaluation: EvaluationRef,
    certificate: CertificateRef,
    validation: ValidationRef,
    config: PromoteConfig,
    home: Path,
) -> Promotion:
    """Register the candidate with its proofs, and point the champion at it if every gate holds.

    It may be killed anywhere and run again: the same bundle gets the same version, and the pointer moves last, in one
    rename. A refused gate is told in the result, not raised, and leaves the champion as it is.

    Raises:
        ConfigError: A gate names a metric or batch size that was not measured.
        IntegrityError: The references do not belong together, or what they name is gone.
        BundleError: The candidate is broken.
        DiskFullError: There is no space left; the champion stays.
    """
    measured, sample = read_certificate(certificate)
    complete = complete_bundle(candidate, evaluation, measured, validation, home)
    bundle = complete.folder
    store = ModelStore(home / "models")
    gates = check_gates(config.gates, held_out_metrics(bundle), _champion_metrics(store, complete), measured)
    with naming_full_disk(home):
        trial = run_trial(bundle, complete.model, sample, config.trial_seconds)
        outcomes = (*gates, _judge_trial(trial, config.gates.parity))
        version = _register(store, complete, measured, trial, outcomes)
        promoted = all(outcome.passed for outcome in outcomes)
        if promoted:
            store.set_champion(complete.model, version.version)
    champion = store.champion(complete.model)
    return Promotion(
        model=complete.model,
        version=version.version,
        digest=version.digest,
        promoted=promoted,
        champion=champion.version if champion else None,
        outcomes=outcomes,
    )


def _champion_metrics(store: ModelStore, candidate: BundleRef) -> dict[str, float] | None:
    """Return what the candidate must gain on: nothing where it is the champion already and is promoted again."""
    champion = store.champion(candidate.model)
    if champion is None or champion.digest == candidate.digest:
        return None
    return held_out_metrics(store.bundle_path(candidate.model, champion.version))


def _judge_trial(trial: Trial, gate: ParityGate) -> GateOutcome:
    name = "trial max_difference"
    if trial.difference is None:
        return GateOutcome(gate=name, passed=False, comparison="<=", wanted=gate.max_difference, note=trial.failure)
    return judge(name, "<=", gate.max_difference, trial.difference, note=f"ready after {trial.ready_seconds:g} s")


def _register(
    store: ModelStore, bundle: BundleRef, certificate: Certificate, trial: Trial, outcomes: tuple[GateOutcome, ...]
) -> StoredVersion:
    """Register a bundle with what was measured about it; measurements of an earlier try are replaced."""
    measurements = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "latency_ms": certificate.model_dump(mode="json")["latency_ms"],
        "trial": trial.model_dump(mode="json"),
        "gates": [outcome.model_dump(mode="json") for outcome in outcomes],
    }
    version = store.register(bundle.model, lambda folder: copy_bundle(bundle.folder, folder))
    write_json(store.bundle_path(bundle.model, version.version) / MEASUREMENTS, measurements)
    return version
