from __future__ import annotations

import json

import numpy as np
import pytest

from tasks.evaluation.number_curves import number_curves, quantile_curves

_RANDOM = np.random.default_rng(0)
TRUTH = _RANDOM.normal(size=500)
PREDICTED = TRUTH + 0.5 * _RANDOM.normal(size=500)


@pytest.mark.parametrize("points", [2, 50, 1000])
def test_rows_are_shown_in_order_with_both_ends(points: int) -> None:
    scatter = number_curves(TRUTH, PREDICTED, points)["scatter"]
    assert len(scatter["predicted"]) == len(scatter["true"]) == min(points, 500)
    assert scatter["predicted"] == sorted(scatter["predicted"])
    assert (scatter["predicted"][0], scatter["predicted"][-1]) == (PREDICTED.min(), PREDICTED.max())


def test_every_residual_is_in_a_bar_and_the_tenths_show_a_bias() -> None:
    found = number_curves(TRUTH, PREDICTED + (PREDICTED > 1), 50)
    assert sum(found["residuals"]["count"]) == 500
    assert len(found["residuals"]["edges"]) == len(found["residuals"]["count"]) + 1
    spread = found["by_prediction"]
    assert spread["middle"][-1] < -0.5 < spread["middle"][4]
    ends = [spread[name] for name in ("low", "middle", "high")]
    assert all(low <= middle <= high for low, middle, high in zip(*ends, strict=True))
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("rows", [1, 3])
def test_few_rows_that_all_hit_are_no_trouble(rows: int) -> None:
    found = number_curves(np.ones(rows), np.ones(rows), 50)
    assert sum(found["residuals"]["count"]) == rows
    assert len(found["by_prediction"]["predicted"]) == rows


def test_quantiles_say_which_share_lies_below() -> None:
    predicted = np.tile(np.quantile(TRUTH, [0.1, 0.4, 0.9]), (500, 1))
    found = quantile_curves(TRUTH, predicted, (0.1, 0.4, 0.9), 20)
    assert found["quantiles"]["below"] == pytest.approx([0.1, 0.4, 0.9], abs=0.003)
    assert found["scatter"]["predicted"][0] == predicted[0, 1]
    assert (found["scatter"]["low"][0], found["scatter"]["high"][0]) == (predicted[0, 0], predicted[0, 2])
