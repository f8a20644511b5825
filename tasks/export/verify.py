"""Verification: the parity certificate of a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Contract
from data_contracts.generate import generate_records
from serving.bundle.read import open_bundle
from tasks.data.split import read_split
from tasks.errors import DataError
from tasks.export.bundle import PREPROCESSING
from tasks.export.generated_images import generate_images
from tasks.export.latency import measure_latency
from tasks.export.parity import Parity, measure_parity
from tasks.export.prediction_paths import ServingPath, TrainingPath
from tasks.export.sample import Sample, take_sample
from tasks.models.checkpoint import load_predictor
from tasks.prediction.decision import DECISION, Decision
from tasks.preprocessing.constants import Preprocessing
from tasks.references import BundleRef, CertificateRef, CheckpointRef, DatasetRef, SplitRef
from tasks.storage import digest_of, naming_lost, new_folder, write_json

CERTIFICATE = "certificate.json"
SAMPLE = "sample.json"
GENERATED_ROWS = 10_000
_GENERATED_SEED = 0


class Certificate(BaseModel):
    """What was measured about one bundle.

    Attributes:
        bundle: The candidate bundle's digest.
        data: Digests of the dataset (`clean`) and of its split (`split`).
        test: Parity on the raw rows of the test split.
        generated: Parity on records generated from the contract, or on generated images.
        latency_ms: Milliseconds at `p50` and `p99` by batch size. It differs from run to run, so no digest covers it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bundle: str
    data: Mapping[str, str]
    test: Parity
    generated: Parity
    latency_ms: Mapping[str, Mapping[str, float]]

    @property
    def lasting(self) -> dict[str, object]:
        """The part that the same bundle and data give again."""
        return self.model_dump(mode="json", exclude={"latency_ms"})


def run_verify(
    bundle: BundleRef, checkpoint: CheckpointRef, clean: DatasetRef, split: SplitRef, contract: Contract, home: Path
) -> CertificateRef:
    """Compare the training path and the bundle on every raw row of the test split and on generated records.

    Raises:
        BundleError: The bundle is broken.
        DataError: The test split has no rows.
    """
    folder = bundle.folder
    manifest = open_bundle(folder)
    constants = Preprocessing.model_validate_json((folder / PREPROCESSING).read_bytes())
    decision = Decision.model_validate_json((folder / DECISION).read_bytes())
    training = TrainingPath(constants, load_predictor(checkpoint), decision)
    serving = ServingPath.open(folder, manifest)
    columns = [spec.name for spec in manifest.inputs]
    with _one_thread():
        rows = read_split(clean, split, "test", columns)
        if constants.image is not None:
            generated = generate_images(constants.image)
        else:
            generated = iter([generate_records(contract, columns, GENERATED_ROWS, _GENERATED_SEED)])
        first = _first(rows)
        sample = take_sample(training, serving, first.slice(0, 1))
        certificate = Certificate(
            bundle=bundle.digest,
            data={"clean": clean.digest, "split": split.digest},
            test=measure_parity(training, serving, chain([first], rows)),
            generated=measure_parity(training, serving, generated),
            latency_ms=measure_latency(serving, first),
        )
    return write_certificate(certificate, sample, home)


def write_certificate(certificate: Certificate, sample: Sample, home: Path) -> CertificateRef:
    """Write a certificate and its sample under `home/certificates`; the digest covers all but the latency."""
    kept_sample = sample.model_dump(mode="json")
    digest = digest_of({"certificate": certificate.lasting, "sample": kept_sample})
    parent = home / "certificates"
    with new_folder(parent, lambda _: digest) as folder:
        write_json(folder / CERTIFICATE, certificate.model_dump(mode="json"))
        write_json(folder / SAMPLE, kept_sample)
    return CertificateRef(path=str(parent / digest), digest=digest)


def read_certificate(reference: CertificateRef) -> tuple[Certificate, Sample]:
    """Read a certificate and the sample that was taken with it.

    Raises:
        IntegrityError: It is gone.
    """
    folder = reference.folder
    with naming_lost(folder, "the certificate is"):
        certificate = Certificate.model_validate_json((folder / CERTIFICATE).read_bytes())
        return certificate, Sample.model_validate_json((folder / SAMPLE).read_bytes())


def _first(tables: Iterator[pa.Table]) -> pa.Table:
    for table in tables:
        if table.num_rows:
            return table
    raise DataError(
        "the test split has no rows, so nothing can be compared on it\n"
        "  do: give it a larger fraction in the split's config, or more data"
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run torch on one thread: sums split among threads differ in the last bits, and the certificate has a digest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
