"""The model half of the flow: train, cross-validate, calibrate, evaluate, explain, export, verify."""

from __future__ import annotations

from functools import partial
from typing import Any

from pipelines import bindings, wording
from pipelines.artifacts.of_model import (
    show_certificate,
    show_cross_validation,
    show_evaluation,
    show_slices,
    show_training,
)
from pipelines.check import slices_plan
from pipelines.image_config import ImagePipelineConfig
from pipelines.pieces import piece
from pipelines.run_state import Data, Model, Run
from tasks.cross_validation.config import CrossValidation, resolved_folds, resolved_image_folds
from tasks.preprocessing.fit import read_preprocessing
from tasks.references import (
    CalibrationRef,
    CheckpointRef,
    CrossValidationRef,
    EvaluationRef,
    ExplanationRef,
    SlicesRef,
)


def make_model(run: Run, data: Data) -> Model:
    """Take features to a candidate bundle with a parity certificate."""
    home = run.home
    learned: dict[str, Any] = {"features": data.features, "preprocessing": data.preprocessing}
    checkpoint = train_model(run, data)
    cross_validation = _cross_validated(run, data)
    calibration = piece(
        bindings.calibrate,
        partial(wording.calibration, checkpoint=checkpoint),
        **learned,
        checkpoint=checkpoint,
        config=run.config.calibrate,
        home=home,
    )
    judged = {"checkpoint": checkpoint, "calibration": calibration}
    evaluation = piece(
        bindings.evaluate, wording.evaluation, **learned, **judged, config=run.config.evaluate, home=home
    )
    show_evaluation(evaluation)
    made = {
        "evaluation": evaluation,
        "cross_validation": cross_validation,
        "slices": _sliced(run, data, evaluation),
        "explanation": _explained(run, {**learned, **judged}),
    }
    return _exported(run, data, checkpoint, calibration, **made)


def train_model(run: Run, data: Data) -> CheckpointRef:
    """Take features to a trained model."""
    config = run.config
    asked: dict[str, Any] = {
        "features": data.training,
        "preprocessing": data.preprocessing,
        "config": config.train,
        "augment": config.augment.for_training,
    }
    # The same work has the same key in the next process, so a killed training finds its own checkpoints.
    work = run.home / "training" / bindings.train.key(**asked)
    checkpoint = piece(bindings.train, wording.training, **asked, home=run.home, work=work)
    show_training(checkpoint)
    return checkpoint


def _cross_validated(run: Run, data: Data) -> CrossValidationRef | None:
    config = run.config
    if config.cross_validate is None:
        return None
    if isinstance(config, ImagePipelineConfig):
        folds = resolved_image_folds(config.cross_validate)
    else:
        problem = read_preprocessing(data.preprocessing).target.problem
        folds = resolved_folds(config.cross_validate, config.split, problem)
    plan = CrossValidation(train=config.train, augment=config.augment.for_training, folds=folds)
    asked: dict[str, Any] = {"features": data.training, "preprocessing": data.preprocessing, "plan": plan}
    work = run.home / "training" / bindings.cross_validate.key(**asked)
    found = piece(bindings.cross_validate, wording.cross_validation, **asked, home=run.home, work=work)
    show_cross_validation(found)
    return found


def _sliced(run: Run, data: Data, evaluation: EvaluationRef) -> SlicesRef | None:
    """Measure parts of the test split; rows of images have no columns to be grouped by."""
    if isinstance(run.config, ImagePipelineConfig):
        return None
    found = piece(
        bindings.slices,
        wording.slices,
        clean=data.clean,
        split=data.split,
        preprocessing=data.preprocessing,
        evaluation=evaluation,
        plan=slices_plan(run.config, run.contract),
        home=run.home,
    )
    show_slices(found)
    return found


def _explained(run: Run, judged: dict[str, Any]) -> ExplanationRef | None:
    if isinstance(run.config, ImagePipelineConfig) or run.config.explain is None:
        return None
    return piece(bindings.explain, wording.explanation, **judged, config=run.config.explain, home=run.home)


def _exported(run: Run, data: Data, checkpoint: CheckpointRef, calibration: CalibrationRef, **made: Any) -> Model:
    """Export and verify.

    Args:
        run: The run.
        data: What the data half made.
        checkpoint: The trained model.
        calibration: Its calibration and thresholds.
        made: What else the model half made, by the names of `Model`.
    """
    candidate = piece(
        bindings.export,
        wording.bundle,
        model=run.config.model,
        contract=run.contract,
        preprocessing=data.preprocessing,
        checkpoint=checkpoint,
        calibration=calibration,
        home=run.home,
    )
    certificate = piece(
        bindings.verify,
        wording.certificate,
        bundle=candidate,
        checkpoint=checkpoint,
        clean=data.clean,
        split=data.split,
        contract=run.contract,
        home=run.home,
    )
    show_certificate(certificate)
    return Model(checkpoint=checkpoint, calibration=calibration, candidate=candidate, certificate=certificate, **made)
