from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from serving.bundle.manifest import NULL_TIMESTAMP
from tasks.errors import ConfigError, DataError
from tasks.export.raw_columns import feed, input_specs
from tests.tasks.export import small_model

CONSTANTS = small_model.preprocessing()
INPUTS = input_specs(small_model.contract(), CONSTANTS)


def test_inputs_are_the_features_columns_in_the_contracts_order() -> None:
    assert [spec.name for spec in INPUTS] == [name for name in small_model.SCHEMA.names if name not in {"id", "good"}]


def test_nullable_integers_and_booleans_enter_as_float64() -> None:
    types = {spec.name: (spec.datatype, spec.tensor, spec.nullable) for spec in INPUTS}
    assert types == {
        "amount": ("FP64", "float64", True),
        "weight": ("FP64", "float64", True),
        "seats": ("INT64", "float64", True),
        "line": ("INT64", "int64", False),
        "late": ("BOOL", "float64", True),
        "paid": ("BOOL", "bool", False),
        "carrier": ("BYTES", "string", True),
        "origin": ("BYTES", "string", True),
        "at": ("BYTES", "int64", True),
        "day": ("BYTES", "int64", True),
    }


def test_each_input_carries_its_own_rules() -> None:
    rules = {spec.name: [(rule.id, rule.argument) for rule in spec.rules] for spec in INPUTS}
    assert rules.pop("amount") == [("amount.minimum", -5.0)]
    assert not any(rules.values())


def test_columns_that_the_contract_classifies_are_masked() -> None:
    words = {"amount": "confidential", "line": "Restricted", "carrier": "public"}
    contract = small_model.contract()
    columns = tuple(column.model_copy(update={"classification": words.get(column.name)}) for column in contract.columns)
    specs = input_specs(contract.model_copy(update={"columns": columns}), CONSTANTS)
    assert {spec.name for spec in specs if spec.masked} == {"amount", "line"}


def test_a_column_that_the_contract_lacks_is_named() -> None:
    contract = small_model.contract()
    shorter = contract.model_copy(update={"columns": tuple(c for c in contract.columns if c.name != "carrier")})
    with pytest.raises(ConfigError, match=r"orders 1\.2\.0.*carrier"):
        input_specs(shorter, CONSTANTS)


def test_nulls_become_what_the_graph_takes_for_null() -> None:
    rows: list[dict[str, Any]] = [
        {"line": 1, "paid": True},
        {
            "line": 2,
            "paid": False,
            "amount": 1.5,
            "seats": 4,
            "late": True,
            "carrier": "AA",
            "at": datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
            "day": date(1970, 1, 2),
        },
    ]
    tensors = feed(pa.Table.from_pylist(rows, schema=small_model.SCHEMA), INPUTS)
    np.testing.assert_array_equal(tensors["amount"], [np.nan, 1.5])
    np.testing.assert_array_equal(tensors["seats"], [np.nan, 4.0])
    np.testing.assert_array_equal(tensors["late"], [np.nan, 1.0])
    assert tensors["carrier"].tolist() == ["", "AA"]
    assert tensors["at"].tolist() == [NULL_TIMESTAMP, -60_000_000]
    assert tensors["day"].tolist() == [NULL_TIMESTAMP, 86_400_000_000]
    assert tensors["line"].dtype == np.int64
    assert tensors["paid"].dtype == np.bool_


def test_a_null_that_may_not_be_is_an_error() -> None:
    table = pa.Table.from_pylist([{"line": 1}, {"line": 2, "paid": True}], schema=small_model.SCHEMA)
    with pytest.raises(DataError, match="column paid: 1 of 2 values are null"):
        feed(table, INPUTS)


def test_a_required_date_takes_no_null_either() -> None:
    inputs = tuple(spec.model_copy(update={"nullable": False}) for spec in INPUTS if spec.name == "day")
    table = pa.Table.from_pylist([{"day": date(1970, 1, 2)}, {}, {}], schema=small_model.SCHEMA)
    assert feed(table.slice(0, 1), inputs)["day"].tolist() == [86_400_000_000]
    with pytest.raises(DataError, match="column day: 2 of 3 values are null"):
        feed(table, inputs)
