from __future__ import annotations

import numpy as np
import pytest

from tasks.calibration.calibrate import calibrate
from tasks.calibration.config import CalibrateConfig
from tasks.calibration.conformal import fit_shifts
from tasks.errors import TrainingError
from tests.tasks.prediction.cases import PRICES


def test_by_hand() -> None:
    truth = np.arange(9.0)[::-1]
    # Of ten with the one to come, the ninth below .9, the fifth below .5, the first below .1.
    assert fit_shifts(np.zeros((9, 3)), truth, (0.1, 0.5, 0.9)) == (0.0, 4.0, 8.0)


def test_intervals_too_narrow_are_widened_to_what_they_say() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=4000)
    narrow = np.tile([-0.5, 0.2, 0.5], (4000, 1))
    _, fitted = calibrate(narrow[:2000], truth[:2000], PRICES, CalibrateConfig(method="conformal"))
    assert fitted.before.measures["below 0.9"] == pytest.approx(0.69, abs=0.03)
    assert fitted.after.measures["pinball"] < fitted.before.measures["pinball"]
    shifts = np.array(fit_shifts(narrow[:2000], truth[:2000], PRICES.quantiles))
    below = (truth[2000:, None] < narrow[2000:] + shifts).mean(axis=0)
    np.testing.assert_allclose(below, PRICES.quantiles, atol=0.03)


def test_too_few_rows_say_how_many() -> None:
    with pytest.raises(TrainingError, match=r"needs 99 rows for the quantile 0\.01; the validation split has 50"):
        fit_shifts(np.zeros((50, 2)), np.zeros(50), (0.01, 0.5))
    assert fit_shifts(np.zeros((99, 2)), np.zeros(99), (0.01, 0.99)) == (0.0, 0.0)
