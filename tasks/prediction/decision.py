"""The decision: small fitted constants that turn a model's scores into probabilities, labels and numbers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from tasks.errors import IntegrityError
from tasks.preprocessing.constants import Curve
from tasks.references import CalibrationRef
from tasks.storage import naming_lost

DECISION = "decision.json"


class Decision(BaseModel):
    """How scores become an answer; `Decision()` takes the model at its word.

    Attributes:
        temperature: Divides the scores of classes and labels.
        curves: Of kind `knots`, from log odds (`tasks.prediction.predictions.log_odds`) to a probability: one for the
            second class of two, for each class of more, or for each label. None: the softmax or the sigmoid says it.
        thresholds: The least probability, rounded to float32, for the second class of two, or for each label. None: the
            class of the largest probability, the first of equals; labels from 0.5 on.
        shifts: Added to the ascending standardized quantiles, one for each. None: nothing is added.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: PositiveFloat = 1.0
    curves: tuple[Curve, ...] = ()
    thresholds: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()
    shifts: tuple[float, ...] = ()


def read_decision(calibration: CalibrationRef) -> Decision:
    """Read what calibration fitted.

    Raises:
        IntegrityError: The file is gone or is not what calibration writes.
    """
    path = calibration.folder / DECISION
    with naming_lost(path, "the calibration is"):
        content = path.read_bytes()
    try:
        return Decision.model_validate_json(content)
    except ValidationError as error:
        raise IntegrityError(
            f"{path}: not a calibration's decision ({error.error_count()} errors)\n  do: run the pipeline again"
        ) from error
