import pytest

from data_contracts.contract import Privacy
from tasks.errors import ConfigError, TrainingError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.options import require_preprocessing
from tasks.preprocessing.plan import feature_columns, plan_measures
from tests.tasks.data.tables import contract_of

CONTRACT = contract_of(
    {"id": "integer", "at": "timestamp", "day": "date", "word": "string", "size": "number", "late": "boolean"}
)


def _plan(categorical=(), **options):
    parts = {"calendar_numeric": ["minute_of_day", "day_of_year"], "calendar_categorical": ["day_of_week"]}
    return plan_measures(CONTRACT, PreprocessConfig(target="late", categorical=categorical, **{**parts, **options}))


def test_columns_give_measures_in_the_contracts_order():
    measures = _plan(exclude=["id"])
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


def test_columns_dropped_for_privacy_are_no_features():
    hidden = CONTRACT.column("word").model_copy(update={"privacy": Privacy(action="drop")})
    columns = tuple(hidden if column.name == "word" else column for column in CONTRACT.columns)
    contract = CONTRACT.model_copy(update={"columns": columns})
    assert [column.name for column in feature_columns(contract, "late", None, ["at", "day"])] == ["id", "size"]
    for options in ({"target": "word"}, {"target": "late", "include": ["word"]}, {"target": "late", "keep": ["word"]}):
        with pytest.raises(ConfigError, match="privacy"):
            require_preprocessing(contract, PreprocessConfig(**options))


def test_an_integer_can_be_a_category():
    measures = _plan(include=["id"], categorical=["id"])
    assert [(each.name, each.kind) for each in measures] == [("id", "category"), ("late", "category")]


@pytest.mark.parametrize(
    ("target", "include", "exclude", "message"),
    [
        ("lat", None, [], r"target: contract small.odcs.yaml has no column `lat`; did you mean `late`\?"),
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
        _plan(categorical=[name])


def test_two_features_of_one_name_are_refused():
    contract = contract_of({"at": "date", "at_month": "integer", "y": "boolean"})
    with pytest.raises(ConfigError, match="would be named `at_month`"):
        plan_measures(contract, PreprocessConfig(target="y", calendar_categorical=["month"]))
    contract = contract_of({"target": "integer", "y": "boolean"})
    with pytest.raises(ConfigError, match="would be named `target`"):
        plan_measures(contract, PreprocessConfig(target="y"))
