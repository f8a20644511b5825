from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.read import open_bundle
from serving.bundle.store import ModelStore
from tasks.errors import ConfigError, DiskFullError, IntegrityError
from tasks.export.parity import Parity
from tasks.export.verify import read_certificate, write_certificate
from tasks.promotion import promote
from tasks.promotion.gates import GateConfig
from tasks.promotion.promote import PromoteConfig
from tasks.promotion.trial import Trial
from tasks.references import EvaluationRef
from tests.tasks.promotion.conftest import LATENCY, Proven, certificate_of
from tests.tasks.promotion.contenders import ROWS

Prove = Callable[..., Proven]
ANY = PromoteConfig()
BETTER = PromoteConfig(gates=GateConfig(floor={"roc_auc": 0.5}, gain={"roc_auc": 0.01}), bootstrap=20)


@pytest.fixture
def quick_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for the server process, which test_trial.py starts."""
    monkeypatch.setattr(promote, "run_trial", lambda *_: Trial(difference=1e-7, ready_seconds=0.5))


def store_of(proven: Proven) -> ModelStore:
    return ModelStore(proven.home / "models")


def test_the_first_version_becomes_the_champion_with_its_proofs(prove: Prove) -> None:
    proven = prove()
    promotion = proven.promote(BETTER)
    assert (promotion.version, promotion.promoted, promotion.champion) == ("1", True, "1")
    assert all(outcome.passed for outcome in promotion.outcomes)
    assert promotion.outcomes[-1].gate == "trial max_difference"
    folder = store_of(proven).bundle_path("orders", "1")
    manifest = open_bundle(folder)
    assert manifest.digest == promotion.digest
    assert {"model.onnx", "preprocessing.json", "evaluation.json", "parity.json", "validation.json"} <= set(
        manifest.files
    )
    assert manifest.proofs["contract"] == {"name": "orders", "digest": "c0"}
    assert manifest.proofs["data"] == {"clean": "d0", "split": "s0"}
    assert manifest.proofs["validation"] == {"digest": "v0", "rows": 110, "kept": 100, "quarantined": 10}
    assert manifest.proofs["metrics"] == pytest.approx(proven.contestant.metrics)
    assert manifest.proofs["parity"]["test"]["max_difference"] == 3e-7
    measurements = json.loads((folder / "measurements.json").read_bytes())
    assert measurements["latency_ms"] == LATENCY
    assert [gate["gate"] for gate in measurements["gates"]] == [outcome.gate for outcome in promotion.outcomes]


@pytest.mark.usefixtures("quick_trial")
class TestWithoutServer:
    def test_a_refused_gate_leaves_the_champion_and_keeps_the_version_to_look_at(self, prove: Prove) -> None:
        first = prove()
        first.promote(BETTER)
        pointer = store_of(first).pointer_path("orders").read_bytes()
        promotion = prove(1.02).promote(BETTER)
        assert (promotion.version, promotion.promoted, promotion.champion) == ("2", False, "1")
        (refused,) = [outcome for outcome in promotion.outcomes if not outcome.passed]
        assert refused.gate == "gain roc_auc"
        assert refused.margin is not None
        assert -0.02 < refused.margin < 0
        assert store_of(first).pointer_path("orders").read_bytes() == pointer
        measurements = json.loads((store_of(first).bundle_path("orders", "2") / "measurements.json").read_bytes())
        assert not all(gate["passed"] for gate in measurements["gates"])
        assert measurements["challenge"]["champion"] == "1"

    def test_a_better_candidate_takes_over(self, prove: Prove) -> None:
        prove().promote(BETTER)
        promotion = prove(0.2).promote(BETTER)
        assert (promotion.version, promotion.promoted, promotion.champion) == ("2", True, "2")
        assert promotion.challenge is not None
        assert (promotion.challenge.champion, promotion.challenge.rows) == ("1", ROWS)

    def test_the_champion_itself_is_promoted_again_without_a_gain(self, prove: Prove) -> None:
        once, twice = prove().promote(BETTER), prove().promote(BETTER)
        assert (twice.version, twice.promoted, twice.digest) == ("1", True, once.digest)
        assert (once.unchanged, twice.unchanged) == (False, True)
        assert store_of(prove()).versions("orders") == ("1",)
        assert twice.challenge is None
        champion = store_of(prove()).champion("orders")
        assert champion is not None
        assert champion.history == ()

    def test_a_failed_trial_refuses(self, prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(promote, "run_trial", lambda *_: Trial(failure="the server ended with code 7"))
        proven = prove()
        promotion = proven.promote(ANY)
        assert not promotion.promoted
        assert promotion.champion is None
        assert promotion.outcomes[-1].note == "the server ended with code 7"
        assert store_of(proven).versions("orders") == ("1",)

    def test_an_answer_too_far_off_refuses(self, prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(promote, "run_trial", lambda *_: Trial(difference=2e-5, ready_seconds=0.5))
        promotion = prove().promote(ANY)
        assert not promotion.promoted
        assert promotion.outcomes[-1].margin == pytest.approx(-1e-5)

    def test_bad_parity_refuses(self, prove: Prove) -> None:
        assert not prove(generated=Parity(rows=10, non_finite=1)).promote(ANY).promoted

    def test_the_digest_holds_no_measured_time(self, prove: Prove) -> None:
        first = prove().promote(ANY)
        slower = prove(latency_ms={"1": {"p50": 9.0, "p99": 9.0}}).promote(ANY)
        assert (slower.version, slower.digest) == (first.version, first.digest)

    @pytest.mark.parametrize("moment", ["measurements", "pointer"])
    def test_killed_after_registering_the_same_version_is_promoted(
        self, prove: Prove, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        proven = prove()
        with monkeypatch.context() as patch:
            if moment == "measurements":
                patch.setattr(promote, "write_json", killed)
            else:
                patch.setattr(ModelStore, "set_champion", killed)
            with pytest.raises(KeyboardInterrupt):
                proven.promote(ANY)
        assert store_of(proven).versions("orders") == ("1",)
        assert store_of(proven).champion("orders") is None
        promotion = proven.promote(ANY)
        assert (promotion.version, promotion.promoted) == ("1", True)
        assert store_of(proven).versions("orders") == ("1",)

    @pytest.mark.parametrize("files", [0, 3, 9, 11])
    def test_a_full_disk_leaves_the_champion_and_nothing_half_written(
        self, prove: Prove, monkeypatch: pytest.MonkeyPatch, files: int
    ) -> None:
        first = prove()
        first.promote(ANY)
        second = prove(0.9)
        before = everything_under(first.home / "models")
        copied = 0
        copy = shutil.copyfile

        def until_full(source: Path, target: Path) -> None:
            nonlocal copied
            if copied == files:
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
            copied += 1
            copy(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfile", until_full)
            with pytest.raises(DiskFullError, match="no space is left"):
                second.promote(ANY)
        assert everything_under(first.home / "models") == before
        assert not [path for path in (first.home / "bundles").iterdir() if path.name.startswith(".")]
        assert second.promote(ANY).promoted

    def test_proof_of_another_bundle_is_no_proof(self, prove: Prove) -> None:
        proven = prove()
        _, sample = read_certificate(proven.certificate)
        other = write_certificate(certificate_of("another"), sample, proven.home)
        with pytest.raises(IntegrityError, match="the certificate is of bundle another"):
            replace(proven, certificate=other).promote(ANY)
        assert store_of(proven).versions("orders") == ()

    def test_a_lost_evaluation_is_told(self, prove: Prove, tmp_path: Path) -> None:
        proven = prove()
        lost = replace(proven.contestant, evaluation=EvaluationRef(path=str(tmp_path / "lost"), digest="e0"))
        with pytest.raises(IntegrityError, match=r"metrics\.json: the file is gone"):
            replace(proven, contestant=lost).promote(ANY)

    def test_an_unknown_metric_registers_nothing(self, prove: Prove) -> None:
        proven = prove()
        with pytest.raises(ConfigError, match="roc_auc"):
            proven.promote(PromoteConfig(gates=GateConfig(floor={"rocauc": 0.5})))
        assert store_of(proven).versions("orders") == ()


def everything_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
