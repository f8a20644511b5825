import pytest

from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.plan import feature_columns, plan_measures
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of(
    {"id": "integer", "at": "timestamp", "day": "date", "word": "string", "size": "number", "late": "boolean"}
)


def _plan(columns, categorical=()):
    return plan_measures(
        columns, CONTRACT.column("late"), categorical, ["minute_of_day", "day_of_year"], ["day_of_week"]
    )


def test_columns_give_measures_in_the_contracts_order():
    columns = feature_columns(CONTRACT, "late", None, ["id"])
    measures = _plan(columns)
    assert [(each.name, each.kind, each.role) for each in measures] == [
        ("at", "numeric", "reference"),
        ("at_minute_of_day", "numeric", "feature"),
        ("at_day_of_year", "numeric", "feature"),
        ("at_day_of_week", "category", "feature"),
        ("day", "numeric", "reference"),
        ("day_day_of_year", "numeric", "feature"),
        ("day_day_of_week", "category", "feature"),
        ("word", "category", "feature"),
        ("size", "numeric", "feature"),
        ("late", "category", "target"),
    ]


def test_an_integer_can_be_a_category():
    measures = _plan(feature_columns(CONTRACT, "late", ["id"], []), categorical=["id"])
    assert [(each.name, each.kind) for each in measures] == [("id", "category"), ("late", "category")]


@pytest.mark.parametrize(
    ("target", "include", "exclude", "message"),
    [
        ("lat", None, [], r"preprocess.target: contract small.odcs.yaml has no column `lat`; did you mean `late`\?"),
        ("late", ["sise"], [], r"preprocess.include: .* no column `sise`; did you mean `size`\?"),
        ("late", None, ["xyz"], r"preprocess.exclude: .* no column `xyz`; its columns: id, at"),
        ("late", ["late"], [], r"preprocess.include: `late` is the target"),
    ],
)
def test_names_that_cannot_be_are_config_errors(target, include, exclude, message):
    with pytest.raises(ConfigError, match=message):
        feature_columns(CONTRACT, target, include, exclude)


def test_no_column_left_is_an_error():
    with pytest.raises(TrainingError, match="no column is left"):
        feature_columns(CONTRACT, "late", ["id"], ["id"])


@pytest.mark.parametrize(
    ("name", "message"), [("size", "is of type number"), ("at", "is of type timestamp"), ("late", "no feature")]
)
def test_some_columns_cannot_be_categories(name, message):
    with pytest.raises(ConfigError, match=f"preprocess.categorical: `{name}` (is )?{message}"):
        _plan(feature_columns(CONTRACT, "late", None, []), categorical=[name])


def test_two_features_of_one_name_are_refused():
    contract = contract_of({"at": "date", "at_month": "integer", "y": "boolean"})
    with pytest.raises(ConfigError, match="would be named `at_month`"):
        plan_measures(contract.columns[:2], contract.columns[2], [], [], ["month"])
    contract = contract_of({"target": "integer", "y": "boolean"})
    with pytest.raises(ConfigError, match="would be named `target`"):
        plan_measures(contract.columns[:1], contract.columns[1], [], [], [])
