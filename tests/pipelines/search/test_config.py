from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import IntDistribution
from pydantic import ValidationError
from ruamel.yaml import YAML

from pipelines.search.check import require_search, search_metric
from pipelines.search.config import Choices, Range, SearchConfig, as_override
from pipelines.search.sampling import distributions
from tasks.errors import ConfigError

RATE = {"low": 1e-4, "high": 1e-2, "log": True}


def asked(**section: Any) -> SearchConfig:
    return SearchConfig.model_validate({"space": {"train.optimizer.learning_rate": RATE}, **section})


@settings(max_examples=40)
@given(
    low=st.integers(-50, 50),
    width=st.integers(1, 100),
    step=st.integers(1, 100),
    scale=st.sampled_from([1, 0.1, 0.25]),
)
def test_what_is_drawn_is_in_the_range_and_probes_are_what_can_be_drawn(
    low: int, width: int, step: int, scale: float
) -> None:
    numbers = {"low": low * scale, "high": (low + width) * scale, "step": min(step, width) * scale}
    values = Range(**{name: number if scale == 1 else round(number, 4) for name, number in numbers.items()})
    search = SearchConfig(space={"train.rounds": values})
    distribution = distributions(search)["train.rounds"]
    assert isinstance(distribution, IntDistribution) == (scale == 1)
    assert distribution.low == values.low
    assert values.high - values.step < distribution.high + 1e-9
    assert distribution.high <= values.high
    for probe in values.probes():
        assert isinstance(probe, int) == (scale == 1)
        assert distribution._contains(distribution.to_internal_repr(probe))


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)
def test_a_setting_is_read_as_it_was_meant(value: Any) -> None:
    text = as_override("key", value).partition("=")[2]
    assert YAML(typ="safe", pure=True).load(text) == value


@pytest.mark.parametrize(
    "values",
    [
        {"low": 1, "high": 1},
        {"low": 2, "high": 1},
        {"low": 0, "high": 1, "log": True},
        {"low": 1, "high": 9, "log": True, "step": 2},
        {"low": 1, "high": 9, "step": 0},
        {"low": 1, "high": 9, "step": 20},
        {"low": 1.0, "high": float("inf")},
        {"low": False, "high": True},
        {"low": 1},
        {"choices": []},
        {"choices": [1, 1]},
        {"choices": [1], "low": 2},
    ],
)
def test_a_space_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asked(space={"train.rounds": values})


def test_kinds_of_values_are_told_apart() -> None:
    space = asked(space={"a": RATE, "b": {"choices": [[64], None, True]}}).space
    assert isinstance(space["a"], Range)
    assert isinstance(space["b"], Choices)
    assert space["b"].texts() == ["[64]", "null", "true"]


def test_a_search_has_an_end_and_a_metric_that_training_measures() -> None:
    with pytest.raises(ValidationError, match="needs an end"):
        asked(trials=None)
    with pytest.raises(ValidationError, match="write `roc_auc`"):
        asked(metric="roc_acu")
    assert search_metric(asked(), "auto", "binary") == "log_loss"
    assert search_metric(asked(), "roc_auc", "binary") == "roc_auc"
    assert search_metric(asked(metric="accuracy"), "roc_auc", "binary") == "accuracy"
    with pytest.raises(ConfigError, match="does not measure `rmse` for a binary problem"):
        search_metric(asked(metric="rmse"), "auto", "binary")


@pytest.mark.parametrize("key", ["target", "split.train", "source.path", "promote.gates", "evaluate.seed", "search"])
def test_keys_that_no_search_can_judge_are_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"search\.space\.{key}: "):
        require_search(asked(space={key: RATE}), "binary", lambda _: None)


def test_a_value_is_checked_with_the_others_where_it_cannot_stand_alone() -> None:
    space = {"train.model": {"choices": ["trees"]}, "train.model.leaves": {"low": 4, "high": 64}}

    def refusal(given: Any) -> str | None:
        keys = [each.partition("=")[0] for each in given]
        return "no such key" if keys == ["train.model.leaves"] else None

    require_search(asked(space=space), "binary", refusal)
    with pytest.raises(ConfigError, match=r"search\.space\.train\.model: the config refuses the value 'trees':\nbad"):
        require_search(asked(space=space), "binary", lambda _: "bad")
