from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.export.parity import Parity
from tasks.export.sample import take_sample
from tasks.export.verify import Certificate, write_certificate
from tasks.promotion.promote import PromoteConfig, Promotion, Proofs, run_promote
from tasks.references import CertificateRef, DatasetRef, SplitRef, ValidationRef
from tests.tasks.export import small_model
from tests.tasks.promotion.contenders import Contestant, contestant, write_rows

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

    contestant: Contestant
    certificate: CertificateRef
    rows: tuple[DatasetRef, SplitRef]
    home: Path

    @property
    def proofs(self) -> Proofs:
        evaluation = self.contestant.evaluation
        return Proofs(evaluation=evaluation, certificate=self.certificate, validation=VALIDATION)

    def promote(self, config: PromoteConfig) -> Promotion:
        return run_promote(self.contestant.bundle, self.proofs, *self.rows, config, self.home)


@dataclass(frozen=True)
class World:
    """Rows, and where the models that answer them stand."""

    home: Path
    rows: tuple[DatasetRef, SplitRef]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("world")
    return World(home, write_rows(home))


@pytest.fixture
def prove(world: World, tmp_path: Path) -> Callable[..., Proven]:
    home = tmp_path / "home"

    def prove(flaw: float = 1.0, **changes: Any) -> Proven:
        found = contestant(world.home, flaw=flaw)
        sample = take_sample(found.candidate.training, found.candidate.serving, small_model.some_rows(1))
        certificate = certificate_of(found.bundle.digest, **changes)
        return Proven(found, write_certificate(certificate, sample, home), world.rows, home)

    return prove
