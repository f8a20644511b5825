"""The whole way from a source to a promoted model as plain task functions, without Prefect, wherever things lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_contracts.loader import load_contract
from pipelines.config import load_config
from tasks.calibration.calibrate import run_calibrate
from tasks.data.clean import run_clean
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.engine import DaskConfig
from tasks.evaluation.evaluate import run_evaluate
from tasks.export.export import run_export
from tasks.export.verify import run_verify
from tasks.preprocessing.fit import run_fit
from tasks.preprocessing.transform import run_transform
from tasks.promotion.promote import Promotion, Proofs, run_promote
from tasks.references import Reference
from tasks.training.train import run_train

SETTINGS = ("train.model={name: linear}", "train.rounds=2", "train.steps_per_round=5", "evaluate.logistic=null")


def make_data(folder: Path, home: Path, dask: DaskConfig, *settings: str) -> dict[str, Any]:
    """Run the data half of `customers.yaml`; returns the references by name."""
    config = load_config(folder / "customers.yaml", [*SETTINGS, *settings])
    contract = load_contract(config.contract)
    raw = run_ingest(config.source, contract, home, dask)
    validation = run_validate(raw, contract, config.validation, home, dask)
    clean = run_clean(raw, validation, contract, config.clean, home, dask)
    split = run_split(clean, contract, config.split, home, dask)
    preprocessing = run_fit(clean, split, contract, config.preprocess, home, dask)
    features = run_transform(clean, split, preprocessing, home, dask)
    return {
        "raw": raw,
        "validation": validation,
        "clean": clean,
        "split": split,
        "preprocessing": preprocessing,
        "features": features,
    }


def make_model(folder: Path, home: Path, data: dict[str, Any], *settings: str) -> tuple[dict[str, Any], Promotion]:
    """Run the model half, promotion included."""
    config = load_config(folder / "customers.yaml", [*SETTINGS, *settings])
    contract = load_contract(config.contract)
    learned = (data["features"], data["preprocessing"])
    checkpoint = run_train(*learned, config.train, home, home / "training")
    calibration = run_calibrate(*learned, checkpoint, config.calibrate, home)
    evaluation = run_evaluate(*learned, checkpoint, calibration, config.evaluate, home)
    candidate = run_export(config.model, contract, data["preprocessing"], checkpoint, calibration, home)
    certificate = run_verify(candidate, checkpoint, data["clean"], data["split"], contract, home)
    proofs = Proofs(evaluation=evaluation, certificate=certificate, validation=data["validation"])
    promotion = run_promote(candidate, proofs, data["clean"], data["split"], config.promote, home)
    made = {"checkpoint": checkpoint, "calibration": calibration, "evaluation": evaluation}
    return {**made, "candidate": candidate, "certificate": certificate}, promotion


def digests(made: dict[str, Reference]) -> dict[str, str]:
    """Return each reference's digest."""
    return {name: reference.digest for name, reference in made.items()}
