from __future__ import annotations

import pytest

from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tasks.evaluation.evaluate import EvaluateConfig
from tasks.evaluation.requirements import evaluation_notes, require_groups

BY_DAY = SplitConfig(method="group", column="day")


def test_groups_must_be_kept() -> None:
    require_groups(EvaluateConfig(), ())
    require_groups(EvaluateConfig(groups="day"), ("hour", "day"))
    with pytest.raises(ConfigError, match=r"evaluate\.groups: .*`day`[^$]*preprocess\.keep: \['hour', 'day'\]"):
        require_groups(EvaluateConfig(groups="day"), ("hour",))


def test_intervals_that_ignore_the_groups_of_the_split_are_told() -> None:
    (note,) = evaluation_notes(EvaluateConfig(), BY_DAY)
    assert "whole groups are drawn" in note
    assert not list(evaluation_notes(EvaluateConfig(groups="day"), BY_DAY))
    assert not list(evaluation_notes(EvaluateConfig(bootstrap=0), BY_DAY))
    assert not list(evaluation_notes(EvaluateConfig(), SplitConfig()))
