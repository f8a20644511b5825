from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.export.parity import Parity
from tasks.export.sample import take_sample
from tasks.export.verify import Certificate, write_certificate
from tasks.promotion.promote import PromoteConfig, Promotion, run_promote
from tasks.references import BundleRef, CertificateRef, EvaluationRef, ValidationRef
from tasks.storage import write_json
from tests.tasks.export import small_model
from tests.tasks.export.small_bundle import write_candidate

METRICS = {"roc_auc": 0.8, "log_loss": 0.5, "accuracy": 0.75}
LATENCY = {"1": {"p50": 0.1, "p99": 0.3}, "256": {"p50": 0.6, "p99": 1.5}}
VALIDATION = ValidationRef(path="validations/v", digest="v0", rows=110, kept=100, quarantined=10)


def certificate_of(bundle: str, **changes: Any) -> Certificate:
    parity = Parity(rows=100, max_difference=3e-7)
    values: dict[str, Any] = {
        "bundle": bundle,
        "data": {"clean": "d0", "split": "s0"},
        "test": parity,
        "generated": parity,
        "latency_ms": LATENCY,
    }
    return Certificate(**{**values, **changes})


@dataclass(frozen=True)
class Proven:
    """A candidate with everything that promotion asks for."""

    candidate: BundleRef
    evaluation: EvaluationRef
    certificate: CertificateRef
    home: Path

    def promote(self, config: PromoteConfig) -> Promotion:
        return run_promote(self.candidate, self.evaluation, self.certificate, VALIDATION, config, self.home)


@pytest.fixture
def prove(tmp_path: Path) -> Callable[..., Proven]:
    home = tmp_path / "home"

    def prove(trained_on: str = "some data", metrics: dict[str, float] = METRICS, **changes: Any) -> Proven:
        candidate = write_candidate(home, trained_on=trained_on)
        evaluation = tmp_path / f"evaluation-{trained_on}"
        write_json(evaluation / "metrics.json", {"test": metrics, "baselines": {}, "rows": 100})
        sample = take_sample(candidate.training, candidate.serving, small_model.some_rows(1))
        certificate = certificate_of(candidate.reference.digest, **changes)
        return Proven(
            candidate.reference,
            EvaluationRef(path=str(evaluation), digest=trained_on),
            write_certificate(certificate, sample, home),
            home,
        )

    return prove
