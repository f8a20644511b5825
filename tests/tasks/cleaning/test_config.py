from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.cleaning.config import OrderedConfig, order_notes, require_ordered
from tasks.errors import ConfigError
from tests.tasks.cleaning.series import CONTRACT

GOOD: dict[str, Any] = {
    "by": "at",
    "group": ["sensor"],
    "columns": {
        "temp": {"fill": "linear", "limit": 3, "smooth": {"method": "median", "window": 5}},
        "state": {"fill": "ffill"},
    },
    "drop_nulls": ["load"],
}


def config(**sections: Any) -> OrderedConfig:
    return OrderedConfig.model_validate({**GOOD, **sections})


def test_what_can_be_done_is_let_through():
    require_ordered(CONTRACT, config(), ["label"])
    require_ordered(CONTRACT, OrderedConfig(drop_nulls=("label", "temp")), ["label"])


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"by": "when"}, "order.by: contract sensors.odcs.yaml has no column `when`"),
        ({"by": "state", "columns": {}}, "order.by: `state` is a string; rows are ordered by integer, number, date"),
        ({"by": "load", "columns": {}}, "order.by: `load` may be null.*\n  do: make it `required: true`"),
        ({"group": ["sensors"]}, "order.group: .*did you mean `sensor`"),
        ({"columns": {"tmp": {"fill": "ffill"}}}, "order.columns: .*did you mean `temp`"),
        ({"columns": {"label": {"fill": "ffill"}}}, "`label` is the target, and a made-up answer teaches nothing"),
        ({"columns": {"at": {"fill": "ffill"}}}, "`at` says how rows are ordered"),
        (
            {"columns": {"state": {"fill": "time"}}},
            "order.columns.state.fill: `time` serves number, and `state` is string",
        ),
        ({"columns": {"row": {"fill": "linear"}}}, "`linear` serves number, and `row` is integer\n  do: take ffill"),
        (
            {"columns": {"state": {"smooth": {"method": "mean", "window": 3}}}},
            "a filter serves number, and `state` is str",
        ),
        ({"drop_nulls": ["secret"]}, r"order.drop_nulls: the contract drops column `secret` .*\(sensors.odcs.yaml:9\)"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(sections, message):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        require_ordered(CONTRACT, config(**sections), ["label"])


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"by": None}, "expected `by`, the column that rows are ordered by"),
        (
            {"by": None, "group": [], "columns": {}, "drop_nulls": []},
            "leave the section out where nothing is to be done",
        ),
        ({"columns": {"temp": {}}}, "expected `fill`, with or without `limit`, or `smooth`"),
        ({"columns": {"temp": {"limit": 3}}}, "expected `fill`"),
        ({"columns": {"temp": {"fill": "cubic"}}}, "'ffill', 'bfill', 'linear' or 'time'"),
        ({"columns": {"temp": {"smooth": {"method": "mean", "window": 1}}}}, "greater than or equal to 2"),
    ],
)
def test_a_section_that_says_nothing_is_refused(sections, message):
    with pytest.raises(ValidationError, match=message):
        config(**sections)


def test_what_the_endpoint_will_not_do_is_said():
    notes = order_notes(config(), ["temp", "state", "load"])
    assert len(notes) == 3
    assert "temp: the model learns smoothed values, but the endpoint sees one record" in notes[0]
    assert "`linear` fills from other rows and looks at later rows" in notes[1]
    assert "state: `ffill` fills from other rows; at the endpoint a null stays null" in notes[2]
    assert order_notes(config(), ["load"]) == []
