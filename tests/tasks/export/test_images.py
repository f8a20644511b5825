"""A model of images in a bundle: the graph takes pixels, and says what training says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from data_contracts.contract import Contract
from serving.bundle.read import open_bundle
from serving.models.loaded import LoadedModel
from tasks.calibration.calibrate import run_calibrate
from tasks.calibration.config import CalibrateConfig
from tasks.engine import DaskConfig
from tasks.errors import IntegrityError
from tasks.evaluation.evaluate import EvaluateConfig, read_metrics, run_evaluate
from tasks.export.export import run_export
from tasks.export.verify import read_certificate, run_verify
from tasks.images.config import ImagesConfig
from tasks.images.contract import write_contract
from tasks.models.checkpoint import ModelDescription, write_checkpoint
from tasks.models.registry import build_network
from tasks.models.spec import spec_of
from tasks.preprocessing.fit import read_preprocessing
from tasks.promotion.answers import Contender, NotComparableError
from tasks.references import BundleRef, CalibrationRef, CheckpointRef
from tests.serving.reading import answered
from tests.tasks.data.tables import dask
from tests.tasks.images.garments import TINY, Garments, write_garments

__all__ = ["dask"]

ASKED = {"source": {"path": "x", "format": "idx"}, "image": {"width": 5, "height": 6, "mode": "L"}}


@dataclass(frozen=True)
class Made:
    """Everything from the data to the candidate bundle."""

    home: Path
    garments: Garments
    contract: Contract
    checkpoint: CheckpointRef
    calibration: CalibrationRef
    bundle: BundleRef


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, dask: DaskConfig) -> Made:
    home = tmp_path_factory.mktemp("home")
    garments = write_garments(home, dask)
    constants = read_preprocessing(garments.preprocessing)
    spec = spec_of(constants)
    torch.manual_seed(3)
    network = build_network(TINY.model, spec)  # type: ignore[arg-type]
    description = ModelDescription(
        model=TINY.model, features=spec, target=constants.target, best_round=1, training="t0"
    )
    checkpoint = write_checkpoint(home, description, network.state_dict(), [])
    learned = (garments.features, garments.preprocessing, checkpoint)
    calibration = run_calibrate(*learned, CalibrateConfig(), home)
    contract = write_contract("garments", ImagesConfig.model_validate(ASKED), home)
    bundle = run_export("garment", contract, garments.preprocessing, checkpoint, calibration, home)
    return Made(home, garments, contract, checkpoint, calibration, bundle)


def test_the_graph_takes_images_of_one_shape(made: Made) -> None:
    manifest = open_bundle(made.bundle.folder)
    (image,) = manifest.inputs
    assert (image.name, image.datatype, image.tensor, image.shape) == ("image", "UINT8", "uint8", (6, 5, 1))
    assert manifest.classes == ("0", "1", "2")
    assert manifest.proofs["contract"]["digest"] == made.contract.digest
    assert "logicalType: array" in (made.bundle.folder / "contract.odcs.yaml").read_text()


def test_every_test_image_and_every_generated_one_agrees_and_the_sample_is_answered(made: Made) -> None:
    placed = (made.garments.images, made.garments.split)
    certificate, sample = read_certificate(run_verify(made.bundle, made.checkpoint, *placed, made.contract, made.home))
    assert certificate.test.rows == made.garments.split.rows["test"]
    assert certificate.generated.rows == 2000
    for parity in (certificate.test, certificate.generated):
        assert parity.max_difference <= 1e-5
        assert (parity.label_flips, parity.non_finite) == (0, 0)
    assert set(certificate.latency_ms) == {"1", "256"}
    served = LoadedModel.load(made.bundle.folder, "1", max_batch=4)
    outputs = json.loads(answered(served, json.dumps(sample.request).encode()))["outputs"]
    answer = {output["name"]: output["data"] for output in outputs}
    assert answer["label"] == list(sample.answer["label"])
    np.testing.assert_allclose(answer["probabilities"], sample.answer["probabilities"], atol=1e-6)


def test_an_evaluation_has_the_constant_baseline_alone(made: Made) -> None:
    learned = (made.garments.features, made.garments.preprocessing, made.checkpoint, made.calibration)
    metrics = read_metrics(run_evaluate(*learned, EvaluateConfig(bootstrap=20), made.home))
    assert 0 <= metrics["test"]["accuracy"] <= 1
    assert len(metrics["baselines"]) == 1


def test_a_champion_answers_images_of_its_own_shape_alone(made: Made) -> None:
    contender = Contender.open(made.bundle.folder, read_preprocessing(made.garments.preprocessing).target)
    contender.require_comparable(contender, {"image": "fixed_size_binary[30]"})
    with pytest.raises(NotComparableError, match=r"it reads `image` \(image\), which in this data is of type"):
        contender.require_comparable(contender, {"image": "fixed_size_binary[784]"})


def test_a_contract_that_changed_meanwhile_is_refused(made: Made, tmp_path: Path) -> None:
    contract = write_contract("garments", ImagesConfig.model_validate(ASKED), tmp_path)
    path = Path(contract.path)
    path.write_text(path.read_text().replace("maximum: 255", "maximum: 254"))
    with pytest.raises(IntegrityError, match="the contract changed while the pipeline ran"):
        run_export("garment", contract, made.garments.preprocessing, made.checkpoint, made.calibration, tmp_path)
