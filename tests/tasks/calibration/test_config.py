from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.calibration.config import CalibrateConfig, require_calibration
from tasks.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({}, ("binary",)),
        ({}, ("regression",)),
        ({"method": "isotonic"}, ("multiclass",)),
        ({"method": "conformal"}, ("quantile",)),
        ({"threshold": {"rule": "cost", "false_positive": 1, "false_negative": 5}}, ("binary", "multiclass")),
        ({"threshold": {"rule": "fixed", "value": 0.3}}, ("multilabel",)),
    ],
)
def test_what_fits_passes(settings: dict[str, Any], problems: Any) -> None:
    require_calibration(CalibrateConfig.model_validate(settings), problems)


@pytest.mark.parametrize(
    ("settings", "problem", "said"),
    [
        ({"method": "temperature"}, "regression", "`temperature` does not fit a regression problem; expected none"),
        ({"method": "isotonic"}, "quantile", "expected conformal or none"),
        ({"method": "conformal"}, "binary", "expected isotonic or none or temperature"),
        ({"threshold": {"rule": "f1"}}, "multiclass", "the class of the largest probability is the answer"),
        ({"threshold": {"rule": "fixed", "value": 0.3}}, "regression", "not decided by thresholds; it has none"),
    ],
)
def test_what_does_not_is_refused_with_what_does(settings: dict[str, Any], problem: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        require_calibration(CalibrateConfig.model_validate(settings), (problem,))


def test_fixed_thresholds_are_of_labels_that_there_are() -> None:
    config = CalibrateConfig.model_validate({"threshold": {"rule": "fixed", "value": {"sport": 0.3}}})
    require_calibration(config, ("multilabel",), ("sport", "politics"))
    with pytest.raises(ConfigError, match=r"expected one of sports, politics, got 'sport'\n  do: write `sports`"):
        require_calibration(config, ("multilabel",), ("sports", "politics"))
    with pytest.raises(ConfigError, match="a binary problem has one threshold, got one for each of sport"):
        require_calibration(config, ("binary",), ("late",))


def test_a_rule_that_needs_nothing_more_is_its_name() -> None:
    assert CalibrateConfig.model_validate({"threshold": "f1"}).threshold.rule == "f1"
    assert CalibrateConfig.model_validate({"threshold": "none"}) == CalibrateConfig()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"method": "isotonik"}, "write `isotonic`"),
        ({"method": ["isotonic"]}, "expected one of none, temperature"),
        ({"threshold": "precision"}, "write `precision_at`"),
        ({"threshold": {"rule": "you_den"}}, "write `youden`"),
    ],
)
def test_a_name_that_is_unknown_has_its_nearest(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CalibrateConfig.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": "cost"},
        {"threshold": {"value": 0.3}},
        {"threshold": 0.3},
        {"threshold": {"rule": "cost", "false_positive": 1}},
        {"threshold": {"rule": "precision_at", "precision": 1.5}},
        {"threshold": {"rule": "fixed", "value": -0.1}},
    ],
)
def test_what_is_no_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CalibrateConfig.model_validate(wrong)
