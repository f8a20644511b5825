from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.report_quality import evaluated
from pipelines.run_state import Model
from tasks.metrics.table import metric_names
from tasks.promotion.challenge import Challenge, Compared
from tasks.promotion.promote import Promotion
from tasks.references import BundleRef, CertificateRef
from tests.tasks.evaluation.small_models import small_model

REFUSED = Promotion(model="m", version="4", digest="d", promoted=False, champion="3", outcomes=())


def _model(home: Path, problem: str, calibrate: dict[str, Any], **settings: Any) -> Model:
    made = small_model(home, problem, **calibrate)
    return Model(
        checkpoint=made.checkpoint,
        calibration=made.calibration,
        evaluation=made.evaluate(home, **settings),
        candidate=BundleRef(path="b", digest="b", model="m"),
        certificate=CertificateRef(path="c", digest="c"),
    )


def test_classes_are_told_with_their_calibration(tmp_path: Path) -> None:
    found = evaluated(_model(tmp_path, "binary", {"method": "temperature"}), REFUSED)
    assert found.headline == "roc_auc"
    assert found.metrics.keys() == {"test", "majority", "logistic"}
    assert set(found.intervals) == set(metric_names("binary"))
    assert found.drawn == "An interval holds 95% of 20 resamples of the rows."
    assert list(found.details[0]) == ["class", "rows", "precision", "recall", "f1", "roc_auc", "average_precision"]
    assert found.curves.gains.keys() == found.curves.uncalibrated.keys() == {"True"}
    assert found.calibration["method"] == "temperature"
    assert "thresholds" not in found.calibration
    assert found.challenge is None


def test_numbers_are_told_with_what_they_leave_out(tmp_path: Path) -> None:
    found = evaluated(_model(tmp_path, "regression", {}, groups="day"), REFUSED)
    assert (found.headline, found.classes, found.calibration) == ("rmse", (), {})
    assert found.figures.keys() == {"scatter", "residuals", "by_prediction"}
    assert found.drawn.endswith("of the 12 groups of rows.")
    (note,) = found.notes
    assert "A true value of zero has no percentage error" in note


def test_quantiles_have_their_lines_in_order(tmp_path: Path) -> None:
    found = evaluated(_model(tmp_path, "quantile", {}, bootstrap=0), REFUSED)
    assert list(found.details[0]) == ["quantile", "pinball", "below"]
    assert (found.intervals, found.drawn) == ({}, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 1200}, "Both graphs on the same 1,200 rows. An interval holds 90% of the resamples of the rows, the"),
        ({"rows": 1200, "groups": 31}, "resamples of the 31 groups of rows, the same for both."),
        ({"recorded": "it predicts a number"}, "cannot answer the candidate's rows: it predicts a number."),
    ],
)
def test_the_challenge_is_told(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    metrics = {name: Compared(champion=0.5, candidate=0.6, gain=0.1) for name in ("log_loss", "accuracy", "roc_auc")}
    met = Challenge(champion="3", metrics=metrics, confidence=0.9, **changes)
    found = evaluated(_model(tmp_path, "binary", {}), REFUSED.model_copy(update={"challenge": met})).challenge
    assert found is not None
    assert said in found.said
    assert [one.name for one in found.compared] == ["roc_auc", "accuracy", "log_loss"]


def test_a_champion_of_something_else_is_told_without_a_table(tmp_path: Path) -> None:
    met = Challenge(champion="3", metrics={}, confidence=0.9, recorded="it predicts the number `y`")
    found = evaluated(_model(tmp_path, "binary", {}), REFUSED.model_copy(update={"challenge": met})).challenge
    assert found is not None
    assert found.compared == ()
    assert found.said == "Nothing of the champion, version 3, can be compared: it predicts the number `y`."
