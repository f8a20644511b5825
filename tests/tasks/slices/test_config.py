from __future__ import annotations

import pytest

from data_contracts.contract import Column, Contract, Privacy
from tasks.errors import ConfigError
from tasks.slices.config import SlicesConfig, SlicesPlan, plan_slices, slices_notes

COLUMNS = (
    Column(name="age", logical_type="integer", protected=True),
    Column(name="sex", logical_type="string", protected=True, privacy=Privacy(action="drop"), line=7),
    Column(name="city", logical_type="string", classification="restricted"),
    Column(name="late", logical_type="boolean"),
)
CONTRACT = Contract(name="people", version="1", path="people.odcs.yaml", digest="d", columns=COLUMNS)


def plan(*columns: str, find: int = 10) -> SlicesPlan:
    config = SlicesConfig(columns=columns, find=find)
    return plan_slices(CONTRACT, config, [COLUMNS[0], COLUMNS[2]], ["late"])


def test_what_is_looked_at() -> None:
    found = plan("late", "age")
    assert (found.searched, found.protected, found.masked) == (("age", "city"), ("age",), ("city",))
    assert found.every == ("late", "age", "city")
    assert plan(find=0).every == ("age",)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("citi",), r"evaluate.slices.columns: .* has no column `citi`; did you mean `city`"),
        (("city", "city"), "`city` stands there twice"),
        (("sex",), r"drops column `sex` for privacy \(people.odcs.yaml:7\)"),
    ],
)
def test_columns_that_cannot_be_grouped_by(columns: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(*columns)


def test_a_protected_column_that_cannot_be_measured_is_said() -> None:
    (note,) = slices_notes(CONTRACT, ["late"])
    assert note.startswith("people.odcs.yaml:7: column sex is protected, but privacy drops its values")
    assert "it is what the model predicts" in next(slices_notes(CONTRACT, ["age"]))
