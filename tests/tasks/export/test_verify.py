from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from serving.bundle.errors import BundleError
from tasks.errors import DataError, IntegrityError
from tasks.export.verify import GENERATED_ROWS, Certificate, read_certificate, run_verify
from tasks.references import BundleRef, CertificateRef
from tests.tasks.export import small_model
from tests.tasks.export.conftest import Trained, write_dataset


@pytest.fixture(scope="module")
def reference(bundle: BundleRef, trained: Trained) -> CertificateRef:
    return verify(bundle, trained, trained.home)


def verify(bundle: BundleRef, trained: Trained, home: Path) -> CertificateRef:
    return run_verify(bundle, trained.checkpoint, trained.clean, trained.split, trained.contract, home)


def test_every_test_row_and_every_generated_record_agrees(
    reference: CertificateRef, bundle: BundleRef, trained: Trained
) -> None:
    certificate, _ = read_certificate(reference)
    assert certificate.bundle == bundle.digest
    assert certificate.data == {"clean": trained.clean.digest, "split": "s0"}
    assert certificate.test.rows == trained.split.rows["test"]
    assert certificate.generated.rows == GENERATED_ROWS
    for parity in (certificate.test, certificate.generated):
        assert parity.max_difference <= 1e-5
        assert (parity.label_flips, parity.non_finite) == (0, 0)
    assert set(certificate.latency_ms) == {"1", "256"}


def test_verified_again_the_digest_is_the_same_whatever_the_time(
    reference: CertificateRef, bundle: BundleRef, trained: Trained, tmp_path: Path
) -> None:
    again = verify(bundle, trained, tmp_path)
    assert again.digest == reference.digest
    assert read_certificate(again)[0].lasting == read_certificate(reference)[0].lasting


def test_the_sample_stays_with_the_certificate(reference: CertificateRef, trained: Trained) -> None:
    certificate, sample = read_certificate(reference)
    assert "sample" not in certificate.model_dump()
    assert len(sample.request["inputs"]) == len(small_model.SCHEMA) - 2
    assert set(sample.answer) == {"label", "probabilities"}
    assert sum(map(float, sample.answer["probabilities"])) == pytest.approx(1, abs=1e-6)
    stored = json.loads((Path(reference.path) / "certificate.json").read_bytes())
    assert Certificate.model_validate(stored) == certificate


def test_torch_keeps_its_threads(bundle: BundleRef, trained: Trained, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        verify(bundle, trained, tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_test_split_without_rows_is_an_error(bundle: BundleRef, trained: Trained, tmp_path: Path) -> None:
    clean, split = write_dataset(tmp_path, [small_model.some_rows(9)], [np.zeros(9, np.uint8)])
    with pytest.raises(DataError, match="the test split has no rows"):
        run_verify(bundle, trained.checkpoint, clean, split, trained.contract, tmp_path)


def test_an_altered_bundle_is_refused(bundle: BundleRef, trained: Trained, tmp_path: Path) -> None:
    altered = tmp_path / "bundle"
    altered.mkdir()
    for path in Path(bundle.path).iterdir():
        (altered / path.name).write_bytes(path.read_bytes() + (b" " if path.name == "model.onnx" else b""))
    with pytest.raises(BundleError, match=r"model\.onnx"):
        verify(bundle.model_copy(update={"path": str(altered)}), trained, tmp_path)


def test_a_lost_certificate_is_told(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="the certificate is gone"):
        read_certificate(CertificateRef(path=str(tmp_path), digest="x"))
