"""Calibrate a trained model on the validation split: what its scores mean, and where it says yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.calibration.config import CalibrateConfig, Method, require_calibration
from tasks.calibration.conformal import fit_shifts
from tasks.calibration.isotonic import fit_curve
from tasks.calibration.quality import Quality, quality_of
from tasks.calibration.requirements import require_rows
from tasks.calibration.rules import NoRule
from tasks.calibration.temperature import fit_temperature
from tasks.calibration.thresholds import Chosen, choose_thresholds
from tasks.calibration.truth import Floats, held, names, places
from tasks.errors import IntegrityError
from tasks.evaluation.held_out import plain_truth
from tasks.models.checkpoint import load_predictor
from tasks.prediction.decision import DECISION, Decision
from tasks.prediction.predictions import log_odds, predictions
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import NumberTarget, Target
from tasks.references import CalibrationRef, CheckpointRef, DatasetRef, PreprocessingRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json
from tasks.training.randomness import reproducible
from tasks.training.splits import read_split

CALIBRATION = "calibration.json"


class Calibration(BaseModel):
    """What was fitted on the validation split and what it gave there; `decision.json` holds the constants.

    The figures after calibration are of the rows it was fitted on; the evaluation has those of the test split.

    Attributes:
        checkpoint: The model's digest.
        rows: Rows of the validation split.
        method: What was fitted.
        before: Of the scores as they are.
        after: Of the calibrated predictions.
        thinning_errors: Of isotonic curves: the largest difference of a probability that shortening each one made.
        thresholds: What the rule chose; none without a rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: str
    rows: int
    method: Method
    before: Quality
    after: Quality
    thinning_errors: tuple[float, ...] = ()
    thresholds: tuple[Chosen, ...] = ()

    @property
    def proof(self) -> dict[str, Any]:
        """The few words that a bundle's manifest keeps."""
        return {
            "method": self.method,
            "rows": self.rows,
            "before": self.before.measures,
            "after": self.after.measures,
            "thresholds": {chosen.name: chosen.threshold for chosen in self.thresholds},
        }


def run_calibrate(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    checkpoint: CheckpointRef,
    config: CalibrateConfig,
    home: Path,
) -> CalibrationRef:
    """Fit on the validation split, and write `home/calibrations/<digest>/` with decision.json and calibration.json.

    Raises:
        ConfigError: The problem cannot be calibrated or decided so, or no threshold does what the rule asks for.
        TrainingError: The validation split has too few rows, or lacks a class.
        IntegrityError: The checkpoint is not whole.
    """
    target = read_preprocessing(preprocessing).target
    require_calibration(config, (target.problem,), target.columns)
    split = read_split(features, preprocessing, "validation")
    with reproducible(seed=0, threads=config.threads):
        scores = load_predictor(checkpoint).scores(*(each.numpy() for each in split.inputs))
    decision, fitted = calibrate(scores, split.target.numpy(), target, config)
    return write_calibration(decision, fitted.model_copy(update={"checkpoint": checkpoint.digest}), home)


def calibrate(
    scores: Floats, values: NDArray[Any], target: Target, config: CalibrateConfig
) -> tuple[Decision, Calibration]:
    """Fit a decision.

    Args:
        scores: float64 `[N, O]` of the validation split.
        values: Its target: int64 `[N]` of class indices, `[N, L]` of labels, or `[N]` standardized.
        target: What they are.
        config: What to fit.

    Returns:
        The decision, and what was measured; the checkpoint's digest is left for the caller to name.

    Raises:
        ConfigError: No threshold does what the rule asks for.
        TrainingError: There are too few rows, or a class is absent.
    """
    method = config.method_for(target.problem)
    if not isinstance(target, NumberTarget):
        require_rows(held(values, target), target, method, thresholds=not isinstance(config.threshold, NoRule))
    decision, errors = _fitted(scores, values, target, method)
    before, after = (predictions(scores, target, each) for each in (Decision(), decision))
    chosen: tuple[Chosen, ...] = ()
    if not isinstance(config.threshold, NoRule):
        assert after.probabilities is not None
        assert not isinstance(target, NumberTarget), "the config was checked"
        columns = after.probabilities[:, places(target)]
        chosen = choose_thresholds(columns, held(values, target), names(target), config.threshold)
    truth = plain_truth(values, target)
    measured = Calibration(
        checkpoint="",
        rows=len(values),
        method=method,
        before=quality_of(before, truth, target),
        after=quality_of(after, truth, target),
        thinning_errors=errors,
        thresholds=chosen,
    )
    return decision.model_copy(update={"thresholds": tuple(each.threshold for each in chosen)}), measured


def _fitted(scores: Floats, values: NDArray[Any], target: Target, method: Method) -> tuple[Decision, tuple[float, ...]]:
    """Return a decision without thresholds, and what thinning cost each of its curves."""
    if isinstance(target, NumberTarget):
        shifts = fit_shifts(scores, values.astype(np.float64), target.quantiles) if method == "conformal" else ()
        return Decision(shifts=shifts), ()
    if method == "temperature":
        return Decision(temperature=fit_temperature(scores, values, target)), ()
    if method == "isotonic":
        columns = zip(log_odds(scores, target).T, held(values, target).T, strict=True)
        fitted = [fit_curve(odds, holds) for odds, holds in columns]
        return Decision(curves=tuple(each.curve for each in fitted)), tuple(each.thinning_error for each in fitted)
    return Decision(), ()


def write_calibration(decision: Decision, calibration: Calibration, home: Path) -> CalibrationRef:
    """Write a content-addressed folder under `home/calibrations`."""
    parent = home / "calibrations"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_json(folder / DECISION, decision.model_dump(mode="json"))
        write_json(folder / CALIBRATION, calibration.model_dump(mode="json"))
    return CalibrationRef(path=str(parent / named.digest), digest=named.digest)


def read_calibration(reference: CalibrationRef, checkpoint: CheckpointRef) -> Calibration:
    """Read what was measured.

    Raises:
        IntegrityError: The file is gone, or it is of another checkpoint.
    """
    path = reference.folder / CALIBRATION
    with naming_lost(path, "the calibration is"):
        calibration = Calibration.model_validate_json(path.read_bytes())
    if calibration.checkpoint != checkpoint.digest:
        raise IntegrityError(
            f"{path}: the calibration is of checkpoint {calibration.checkpoint}, not of {checkpoint.digest}\n"
            "  do: calibrate this checkpoint"
        )
    return calibration
