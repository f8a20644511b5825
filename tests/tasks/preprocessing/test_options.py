import pytest
from pydantic import ValidationError

from data_contracts.contract import Column, Contract
from tasks.errors import ConfigError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.options import category_options, number_options, require_preprocessing
from tasks.preprocessing.plan import Measure
from tests.tasks.data.tables import contract_of

PLAIN = contract_of(
    {
        "id": "integer",
        "at": "timestamp",
        "word": "string",
        "size": "number",
        "gate": "integer",
        "ok": "boolean",
        "late": "boolean",
    },
    key=("id",),
)


def _bounded(contract: Contract) -> Contract:
    def bounded(column: Column) -> Column:
        return (
            column.model_copy(update={"options": {"minimum": 0, "exclusiveMaximum": 9}})
            if column.name == "gate"
            else column
        )

    return contract.model_copy(update={"columns": tuple(bounded(column) for column in contract.columns)})


CONTRACT = _bounded(PLAIN)


def _config(**options):
    return PreprocessConfig(**{"target": "late", "exclude": ("id",), **options})


def test_what_fits_is_accepted_and_says_what_is_measured():
    columns = {
        "size": {"impute": "chained", "outliers": "mad", "scale": "yeo-johnson", "indicator": True},
        "gate": {"impute": {"constant": 3}, "outliers": {"method": "contract", "action": "null"}},
        "ok": {"impute": "mode", "scale": "none"},
        "word": {"impute": {"constant": "UNKNOWN"}, "encode": {"method": "target", "folds": 3}, "min_count": 2},
        "at": {"scale": "min-max", "encode": "one-hot"},
    }
    config = _config(columns=columns, calendar_cyclic=("hour",), keep=("id",), count_repairs=True)
    measures = require_preprocessing(CONTRACT, config)
    assert [each.name for each in measures if each.kind == "cyclic"] == ["at_hour"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"sise": {}}, r"preprocess.columns: .* no column `sise`; did you mean `size`\?"),
        ({"id": {"scale": "none"}}, "preprocess.columns.id: the column is no feature"),
        ({"late": {"impute": "mode"}}, "preprocess.columns.late: the column is no feature"),
        (
            {"word": {"scale": "robust"}},
            "word.scale: `word` is of type string; the options that fit are impute, encode",
        ),
        (
            {"size": {"encode": "one-hot"}},
            "size.encode: `size` is of type number; the options that fit are impute, ind",
        ),
        (
            {"ok": {"outliers": "iqr"}},
            "ok.outliers: `ok` is of type boolean; the options that fit are impute, indicator",
        ),
        ({"ok": {"scale": "log1p"}}, "ok.scale: .*log1p has no meaning; the options that fit are standard, min-max"),
        ({"at": {"impute": "mean"}}, "at.impute: `at` is of type timestamp; the options that fit are scale, encode"),
        (
            {"word": {"impute": "median"}},
            "word.impute: .* median cannot serve; the options that fit are null-code, mode",
        ),
        ({"size": {"impute": "null-code"}}, "size.impute: .*the options that fit are median, mean, mode"),
        ({"size": {"impute": {"constant": "x"}}}, "size.impute: .*constant 'x' cannot serve"),
        ({"size": {"outliers": "contract"}}, "size.outliers: the contract sets no minimum and no maximum"),
    ],
)
def test_options_that_cannot_serve_a_column_are_refused(columns, said):
    with pytest.raises(ConfigError, match=said):
        require_preprocessing(CONTRACT, _config(columns=columns))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"numeric": {"impute": "null-code"}}, "preprocess.numeric.impute: .* null-code cannot serve"),
        ({"categories": {"impute": "mean"}}, "preprocess.categories.impute: .* mean cannot serve"),
        (
            {"include": ("size", "word"), "numeric": {"impute": "chained"}},
            "predicts `size` from the other .* there is none",
        ),
        ({"include": ("word",), "row_outliers": {"action": "flag"}}, "no numeric column to judge rows by"),
        ({"keep": ("size",)}, "preprocess.keep: a feature is named `size` too"),
        ({"keep": ("sise",)}, r"preprocess.keep: .*did you mean `size`\?"),
        (
            {"categorical": ("gate",), "columns": {"gate": {"impute": {"constant": 1.5}}}},
            "must be a whole number, got 1.5",
        ),
    ],
)
def test_what_cannot_be_done_at_all_is_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        require_preprocessing(CONTRACT, _config(**options))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"outliers": {"method": "quantile", "lower": 0.9, "upper": 0.1}}, "quantiles must be 0 <= lower < upper <= 1"),
        ({"outliers": {"method": "quantile", "upper": 1.1}}, "quantiles must be"),
        ({"outliers": {"method": "range", "lower": 1}}, "range needs `lower` and `upper`"),
        ({"outliers": {"method": "range", "lower": 1, "upper": 1}}, "lower must be less than upper"),
        ({"outliers": {"method": "iqr", "lower": 1}}, "belong to methods quantile and range, not to iqr"),
        ({"outliers": {"method": "quantile", "factor": 2}}, "`factor` belongs to methods iqr, zscore, mad"),
        ({"outliers": "isolation_forest"}, "configure it as `preprocess.row_outliers`"),
        ({"impute": "constant"}, "`constant` goes with method `constant`"),
        ({"impute": {"constant": float("inf")}}, "must be finite"),
        ({"scale": "stand"}, "scale"),
        ({"encode": {"method": "hashing", "buckets": 1}}, "greater than or equal to 2"),
    ],
)
def test_options_that_contradict_themselves_are_refused(section, said):
    with pytest.raises(ValidationError, match=said):
        _config(columns={"size": section})


def test_only_flag_and_quarantine_fit_an_isolation_forest():
    with pytest.raises(ValidationError, match="'flag' or 'quarantine'"):
        _config(row_outliers={"action": "clip"})


def test_a_column_falls_back_to_the_defaults_that_fit_it():
    config = _config(
        numeric={"outliers": "contract", "scale": "log1p", "impute": "mean"},
        categories={"impute": {"constant": "none"}, "encode": "frequency"},
        categorical=("gate",),
        columns={"word": {"min_count": 7}},
    )

    def number(name, part=None):
        return number_options(Measure(CONTRACT.column(name), "numeric", part=part), config)

    assert number("gate").outliers.method == "contract"
    assert number("size").outliers.method == "quantile"
    assert (number("ok").scale.method, number("ok").outliers.action) == ("standard", "clip")
    assert (number("at", "month").impute.method, number("at", "month").scale.method) == ("median", "log1p")
    word = category_options(Measure(CONTRACT.column("word"), "category"), config)
    assert (word.impute.constant, word.encode.method, word.min_count) == ("none", "frequency", 7)
    assert category_options(Measure(CONTRACT.column("gate"), "category"), config).impute.method == "null-code"
