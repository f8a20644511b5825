"""What a validation split must hold before anything can be fitted on it."""

from __future__ import annotations

import numpy as np

from tasks.calibration.config import Method
from tasks.calibration.isotonic import LEAST_OF_EACH, LEAST_ROWS
from tasks.calibration.truth import Booleans, names
from tasks.errors import TrainingError
from tasks.preprocessing.targets import ClassTarget, LabelsTarget


def require_rows(holds: Booleans, what: ClassTarget | LabelsTarget, method: Method, *, thresholds: bool) -> None:
    """Check that there are enough rows of each kind.

    Temperature needs two classes, or one label with both values, for it fits one number to all of them; isotonic
    curves and thresholds need both values of each class or label.

    Args:
        holds: bool `[N, K]` (`tasks.calibration.truth.held`).
        what: What it is of.
        method: What will be fitted.
        thresholds: Whether a rule will choose thresholds.

    Raises:
        TrainingError: There are too few; the message names the class or label and counts its rows.
    """
    rows = len(holds)
    fewer = np.minimum(holds.sum(axis=0), rows - holds.sum(axis=0))
    if method == "isotonic" and rows < LEAST_ROWS:
        raise _too_few(f"isotonic curves need {LEAST_ROWS} validation rows, and there are {rows}")
    least = LEAST_OF_EACH if method == "isotonic" else int(thresholds)
    if fewer.min() < least:
        place = int(fewer.argmin())
        what_for = "an isotonic curve" if method == "isotonic" else "a threshold"
        raise _too_few(
            f"{what_for} for `{names(what)[place]}` needs {least} validation rows of it and {least} others; of {rows} "
            f"rows {np.count_nonzero(holds[:, place])} are of it"
        )
    if method == "temperature" and not fewer.any():
        raise _too_few(f"all {rows} validation rows have the same class, so no temperature can be told from another")


def _too_few(what: str) -> TrainingError:
    return TrainingError(
        f"calibrate: {what}\n  do: give the validation split a larger fraction or other rows, or write "
        "`calibrate: {method: none}`"
    )
