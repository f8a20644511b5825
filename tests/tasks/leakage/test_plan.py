import pytest
from pydantic import ValidationError

from data_contracts.contract import Privacy
from tasks.data.split import SplitConfig
from tasks.errors import ConfigError
from tasks.leakage.plan import LeakageConfig, plan_leakage
from tasks.preprocessing.problem import TargetConfig
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of(
    {"id": "integer", "late": "boolean", "amount": "number", "when": "timestamp", "day": "date", "who": "string"},
    key=("id",),
    classified=("who",),
)
FEATURES = ("amount", "when", "day")


def _plan(split: SplitConfig | None = None, **config):
    return plan_leakage(
        CONTRACT, LeakageConfig(**config), split or SplitConfig(), TargetConfig(target="late"), FEATURES
    )


def test_nothing_is_needed():
    plan = _plan()
    assert (plan.groups, plan.moment, plan.instants, plan.now, plan.secret) == ((), None, (), None, ("who",))
    assert plan.hints == ("id", "who")
    assert plan.columns == ("amount", "when", "day", "late", "id", "who")


def test_the_column_of_a_split_by_group_is_a_group():
    plan = _plan(SplitConfig(method="group", column="who"), groups=("id",))
    assert (plan.groups, plan.hints) == (("id", "who"), ())


def test_the_column_of_a_split_by_time_is_the_moment():
    plan = _plan(SplitConfig(method="time", column="when"), now="1970-01-01T00:00:01")
    assert (plan.moment, plan.time_split, plan.now, plan.instants) == ("when", "when", 1_000_000, ())
    assert _plan(event_time="when").instants == ("day",)


def test_what_is_accepted_is_no_part_of_the_plan():
    assert _plan(accept=("duplicates:train+test",)) == _plan()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"groups": ("woh",)}, r"leakage.groups: .* no column `woh`; did you mean `who`\?"),
        ({"groups": ("amount",)}, "leakage.groups: `amount` is of type number; expected string, integer"),
        ({"event_time": "who"}, "leakage.event_time: `who` is of type string; expected date or timestamp"),
        ({"event_time": "wen"}, r"leakage.event_time: .* did you mean `when`\?"),
        ({"now": "2024-01-01"}, "leakage.now: nothing says when a row happened"),
    ],
)
def test_what_cannot_be_is_refused(config, said):
    with pytest.raises(ConfigError, match=said):
        _plan(**config)


def test_a_column_that_leaves_for_privacy_tells_nothing():
    hidden = [
        column.model_copy(update={"privacy": Privacy(action="drop")}) if column.name == "who" else column
        for column in CONTRACT.columns
    ]
    contract = CONTRACT.model_copy(update={"columns": tuple(hidden)})
    assert plan_leakage(contract, LeakageConfig(), SplitConfig(), TargetConfig(target="late"), FEATURES).hints == (
        "id",
    )
    with pytest.raises(ConfigError, match="drops `who` for privacy"):
        plan_leakage(contract, LeakageConfig(groups=("who",)), SplitConfig(), TargetConfig(target="late"), FEATURES)


@pytest.mark.parametrize("config", [{"auc": 0.3}, {"now": "soon"}, {"overlap": -1}, {"thresholds": {}}])
def test_values_that_mean_nothing_are_refused(config):
    with pytest.raises(ValidationError):
        LeakageConfig(**config)
