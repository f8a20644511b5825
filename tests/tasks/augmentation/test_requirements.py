from __future__ import annotations

from typing import Any

import pytest

from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.requirements import require_augmentation
from tasks.errors import ConfigError
from tasks.preprocessing.config import PreprocessConfig
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of(
    {
        "late": "boolean",
        "lost": "boolean",
        "stars": "integer",
        "price": "number",
        "kind": "string",
        "when": "timestamp",
        "x": "number",
    }
)


def _require(target: str, features: str, balance: dict[str, Any], weights: Any = "none", **preprocess: Any) -> None:
    asked = {"target": target, "include": features.split(), **preprocess}
    config = AugmentConfig.model_validate({"balance": balance})
    require_augmentation(CONTRACT, config, weights, PreprocessConfig.model_validate(asked))


@pytest.mark.parametrize(
    ("target", "features", "balance", "weights", "message"),
    [
        (
            "price",
            "x",
            {"method": "over"},
            "none",
            "augment.balance.method: .*the target `price` is a number, which has",
        ),
        ("price", "x", {}, "balanced", r"train.class_weights: .* no classes\n  do: write `none`"),
        ("late", "x", {"method": "over", "ratio": {"yes": 0.5}}, "none", "`yes` is no class of the boolean `late`"),
        ("stars", "x", {}, {"five": 2.0}, "train.class_weights: `five` is no class of the integer `stars`"),
        (
            "late",
            "x kind",
            {"method": "smote"},
            "none",
            r"1 features are categories \(kind\)\n  do: take method smotenc",
        ),
        ("late", "x when", {"method": "adasyn"}, "none", r"2 features .* \(when_day_of_week, when_month\)"),
        ("late", "x stars", {"method": "smotenc"}, "none", "smotenc needs categories"),
    ],
)
def test_what_cannot_be_is_refused(
    target: str, features: str, balance: dict[str, Any], weights: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        _require(target, features, balance, weights)


def test_what_can_be_passes() -> None:
    _require("price", "x", {})
    _require("late", "x kind", {"method": "over", "ratio": {True: 0.5}}, {"false": 2.0})
    _require("stars", "x kind", {"method": "smotenc", "ratio": {-1: 0.5}}, "balanced")
    _require("kind", "x stars", {"method": "smote", "ratio": {"anything": 0.5}})


def test_a_category_that_becomes_numbers_can_be_interpolated() -> None:
    columns = {"kind": {"encode": "one-hot"}}
    _require("late", "x kind", {"method": "smote"}, columns=columns)
    with pytest.raises(ConfigError, match=r"1 features are categories \(stars\)"):
        _require("late", "x kind stars", {"method": "adasyn"}, categorical=("stars",), columns=columns)


@pytest.mark.parametrize("target", ["price", ["late", "lost"]])
def test_without_classes_only_noise_is_possible(target: str | list[str]) -> None:
    preprocess = PreprocessConfig.model_validate({"target": target, "include": ["x"]})
    noise = AugmentConfig.model_validate({"noise": {"share": 0.1}})
    require_augmentation(CONTRACT, noise, "none", preprocess)
    with pytest.raises(ConfigError, match=r"label_noise.action: expected `none`, got 'report': .*which has no classes"):
        require_augmentation(CONTRACT, noise, "none", preprocess, "report")
    with pytest.raises(ConfigError, match=r"train.class_weights: "):
        require_augmentation(CONTRACT, noise, {"true": 2.0}, preprocess)
