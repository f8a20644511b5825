"""Promotion: a candidate becomes a version of its model, and the champion only if every gate holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, model_validator

from serving.bundle.store import Champion, ModelStore, StoredVersion
from tasks.export.bundle import MEASUREMENTS
from tasks.export.verify import Certificate, read_certificate
from tasks.metrics.bootstrap import Resampling
from tasks.promotion.challenge import Challenge, Rows, challenge
from tasks.promotion.gates import GateConfig, GateOutcome, ParityGate, check_gates, judge
from tasks.promotion.group_gates import group_gates
from tasks.promotion.trial import Trial, run_trial
from tasks.promotion.version import complete_bundle, copy_bundle, held_out_metrics
from tasks.references import BundleRef, CertificateRef, DatasetRef, EvaluationRef, SlicesRef, SplitRef, ValidationRef
from tasks.slices.slices import read_slices
from tasks.storage import naming_full_disk, write_json

_CONFIDENCE = 0.95


class PromoteConfig(BaseModel):
    """How a candidate is judged.

    Attributes:
        gates: What must hold.
        bootstrap: Resamples behind the interval of each gain over the champion; 0 for no intervals.
        seed: Of the resamples.
        trial_seconds: How long the server process of the trial load may take to be ready.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gates: GateConfig = GateConfig()
    bootstrap: int = Field(default=400, ge=0, le=10_000)
    seed: NonNegativeInt = 0
    trial_seconds: PositiveFloat = 60.0

    @model_validator(mode="after")
    def _enough(self) -> PromoteConfig:
        if self.gates.gain_confidence is not None and not self.bootstrap:
            raise ValueError("`gates.gain_confidence` needs resamples; give `bootstrap` a number above 0")
        return self


class Proofs(BaseModel):
    """What was shown of a candidate: its metrics, its parity, and that its data keeps the contract.

    Attributes:
        slices: Its metrics for parts of the test split; None for images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluation: EvaluationRef
    certificate: CertificateRef
    validation: ValidationRef
    slices: SlicesRef | None = None


class Promotion(BaseModel):
    """What came of it.

    Attributes:
        version: The version that the candidate has in the model store, whether promoted or not.
        digest: That version's bundle.
        promoted: Whether the version is the champion now.
        champion: The champion's version now, None where there is none.
        unchanged: Whether it was the champion before, as the same bundle.
        outcomes: Every gate, the trial load last.
        challenge: The candidate against the champion before; None where there was none, or it was the candidate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: str
    digest: str
    promoted: bool
    champion: str | None
    unchanged: bool = False
    outcomes: tuple[GateOutcome, ...]
    challenge: Challenge | None = None


def run_promote(
    candidate: BundleRef,
    proofs: Proofs,
    clean: DatasetRef,
    split: SplitRef,
    config: PromoteConfig,
    home: Path,
) -> Promotion:
    """Register the candidate with its proofs, and point the champion at it if every gate holds.

    It may be killed anywhere and run again: the same bundle gets the same version, and the pointer moves last, in one
    rename. A refused gate is told in the result, not raised, and leaves the champion as it is.

    Args:
        candidate: The bundle.
        proofs: What was shown of it.
        clean: The dataset whose test split the champion answers too.
        split: That split.
        config: The gates.
        home: Headrace's folder.

    Raises:
        ConfigError: A gate names a metric or batch size that was not measured.
        IntegrityError: The references do not belong together, or what they name is gone.
        BundleError: The candidate is broken.
        DiskFullError: There is no space left; the champion stays.
    """
    measured, sample = read_certificate(proofs.certificate)
    complete = complete_bundle(candidate, proofs.evaluation, measured, proofs.validation, home)
    bundle = complete.folder
    store = ModelStore(home / "models")
    rows = Rows(clean=clean, split=split, evaluation=proofs.evaluation)
    before = store.champion(complete.model)
    challenged = _challenged(before, store, complete, rows, config)
    sliced = None if proofs.slices is None else read_slices(proofs.slices)
    gates = check_gates(config.gates, held_out_metrics(bundle), challenged, measured)
    gates = (*gates, *group_gates(config.gates, sliced))
    with naming_full_disk(home):
        trial = run_trial(bundle, complete.model, sample, config.trial_seconds)
        outcomes = (*gates, _judge_trial(trial, config.gates.parity))
        version = _register(store, complete, measured, trial, _judged(outcomes, challenged))
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
        unchanged=promoted and before is not None and before.digest == version.digest,
        outcomes=outcomes,
        challenge=challenged,
    )


def _challenged(
    champion: Champion | None, store: ModelStore, candidate: BundleRef, rows: Rows, config: PromoteConfig
) -> Challenge | None:
    """Set the candidate against the champion; there is nothing to gain where it is the champion already."""
    if champion is None or champion.digest == candidate.digest:
        return None
    gates = config.gates
    resampling = Resampling(config.bootstrap, gates.gain_confidence or _CONFIDENCE, config.seed)
    before = champion.version, store.bundle_path(candidate.model, champion.version)
    return challenge(before, candidate.folder, rows, resampling, gates.gain)


def _judge_trial(trial: Trial, gate: ParityGate) -> GateOutcome:
    name = "trial max_difference"
    if trial.difference is None:
        return GateOutcome(gate=name, passed=False, comparison="<=", wanted=gate.max_difference, note=trial.failure)
    return judge(name, "<=", gate.max_difference, trial.difference, note=f"ready after {trial.ready_seconds:g} s")


def _judged(outcomes: tuple[GateOutcome, ...], challenged: Challenge | None) -> dict[str, Any]:
    return {
        "gates": [outcome.model_dump(mode="json") for outcome in outcomes],
        "challenge": None if challenged is None else challenged.model_dump(mode="json"),
    }


def _register(
    store: ModelStore, bundle: BundleRef, certificate: Certificate, trial: Trial, judged: dict[str, Any]
) -> StoredVersion:
    """Register a bundle with what was measured about it; measurements of an earlier try are replaced."""
    measurements = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "latency_ms": certificate.model_dump(mode="json")["latency_ms"],
        "trial": trial.model_dump(mode="json"),
        **judged,
    }
    version = store.register(bundle.model, lambda folder: copy_bundle(bundle.folder, folder))
    write_json(store.bundle_path(bundle.model, version.version) / MEASUREMENTS, measurements)
    return version
