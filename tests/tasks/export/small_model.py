"""A contract with a column of every type, constants written by hand, and a network of a few weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from hypothesis import strategies as st
from torch import nn

from data_contracts.contract import Column, Contract, RowRule
from tasks.preprocessing.constants import CalendarPart, CategoricalFeature, NumericFeature, Preprocessing
from tasks.preprocessing.targets import ClassTarget

PARTS: tuple[CalendarPart, ...] = ("month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute_of_day")
TIMESTAMP = pa.timestamp("us", tz="UTC")
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("id", pa.int64()),
    ("amount", pa.float64()),
    ("weight", pa.float64()),
    ("seats", pa.int64()),
    ("line", pa.int64()),
    ("late", pa.bool_()),
    ("paid", pa.bool_()),
    ("carrier", pa.string()),
    ("origin", pa.string()),
    ("at", TIMESTAMP),
    ("day", pa.date32()),
    ("good", pa.bool_()),
]
SCHEMA = pa.schema(_FIELDS)
REQUIRED = frozenset({"id", "line", "paid"})
_LOGICAL: dict[str, Any] = {
    "int64": "integer",
    "double": "number",
    "bool": "boolean",
    "string": "string",
    "date32[day]": "date",
    "timestamp[us, tz=UTC]": "timestamp",
}


def contract(path: str = "orders.odcs.yaml", digest: str = "c0") -> Contract:
    return Contract(
        name="orders",
        version="1.2.0",
        path=path,
        digest=digest,
        columns=tuple(
            Column(name=field.name, logical_type=_LOGICAL[str(field.type)], required=field.name in REQUIRED)
            for field in SCHEMA
        ),
        row_rules=(
            RowRule(id="amount.minimum", column="amount", kind="minimum", argument=-5.0),
            RowRule(id="id.required", column="id", kind="required"),
        ),
    )


def _number(column: str, source: Any, *, lower: float = -1e4, upper: float = 1e4, part: Any = None) -> NumericFeature:
    return NumericFeature(
        name=f"{column}_{part}" if part else column,
        column=column,
        source=source,
        part=part,
        fill=0.3,
        lower=lower,
        upper=upper,
        center=0.1,
        spread=0.7,
    )


def preprocessing(classes: tuple[Any, ...] = (False, True)) -> Preprocessing:
    indicator = NumericFeature(name="amount_null", column="amount", source="number", kind="is_null")
    weekdays = tuple(str(day) for day in range(1, 7))
    source: Any = {str: "string", int: "integer", bool: "boolean"}[type(classes[0])]
    return Preprocessing(
        numeric=(
            _number("amount", "number"),
            indicator,
            _number("weight", "number", lower=-0.0, upper=2.5),
            _number("seats", "integer"),
            _number("line", "integer"),
            _number("late", "boolean"),
            _number("paid", "boolean"),
            *(_number("at", "timestamp", part=part) for part in PARTS),
        ),
        categorical=(
            CategoricalFeature(name="carrier", column="carrier", source="string", vocabulary=("AA", "B6", "Ü")),
            CategoricalFeature(name="seats_code", column="seats", source="integer", vocabulary=("-7", "0", "3")),
            CategoricalFeature(name="line_code", column="line", source="integer", vocabulary=("1", "2")),
            CategoricalFeature(name="late_code", column="late", source="boolean", vocabulary=("0", "1")),
            CategoricalFeature(name="paid_code", column="paid", source="boolean", vocabulary=("1",)),
            CategoricalFeature(name="origin", column="origin", source="string", vocabulary=()),
            CategoricalFeature(
                name="day_of_week", column="day", source="timestamp", part="day_of_week", vocabulary=weekdays
            ),
        ),
        target=ClassTarget(column="good", source=source, classes=classes),
    )


class SmallNetwork(nn.Module):
    """Embeddings, one hidden layer, logits."""

    def __init__(self, constants: Preprocessing) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.embeddings = nn.ModuleList(nn.Embedding(each.cardinality, 3) for each in constants.categorical)
        inputs = len(constants.numeric) + 3 * len(constants.categorical)
        self.layers = nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, constants.target.outputs))

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        codes = [embed(categorical[:, index]) for index, embed in enumerate(self.embeddings)]
        logits: torch.Tensor = self.layers(torch.cat([torch.tanh(numeric), *codes], dim=1))
        return logits


def network(constants: Preprocessing) -> SmallNetwork:
    return SmallNetwork(constants).eval()


_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324])
_MICROS = st.integers(-(2**62), 2**62) | st.sampled_from([0, -1, 86_400_000_000 - 1, -86_400_000_000])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "double": _NUMBERS,
    "int64": st.integers(-10, 10) | st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.sampled_from(["", "AA", "B6", "Ü", "aa", "AA "]) | st.text(max_size=4),
    "date32[day]": st.integers(-(10**6), 10**6),
    "timestamp[us, tz=UTC]": _MICROS,
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Typed rows: nulls where they may be, unseen and empty strings, extreme numbers, years far from ours."""
    rows = draw(st.integers(1, 12))
    columns = {}
    for field in SCHEMA:
        value = _VALUES[str(field.type)]
        either = value if field.name in REQUIRED else st.none() | value
        columns[field.name] = pa.array(draw(st.lists(either, min_size=rows, max_size=rows)), type=field.type)
    return pa.table(columns, schema=SCHEMA)


def some_rows(rows: int = 300, seed: int = 0) -> pa.Table:
    """Ordinary rows, a tenth of them null where they may be."""
    random = np.random.default_rng(seed)
    values = {
        "id": np.arange(rows),
        "amount": random.normal(size=rows),
        "weight": random.exponential(size=rows),
        "seats": random.integers(-8, 8, rows),
        "line": random.integers(0, 4, rows),
        "late": random.random(rows) < 0.5,
        "paid": random.random(rows) < 0.5,
        "carrier": random.choice(["AA", "B6", "Ü", "XX"], rows),
        "origin": random.choice(["EWR", "JFK"], rows),
        "at": random.integers(-(10**15), 2 * 10**15, rows),
        "day": random.integers(-4000, 20_000, rows).astype(np.int32),
        "good": random.random(rows) < 0.5,
    }
    columns = {}
    for field in SCHEMA:
        null = np.zeros(rows, bool) if field.name in REQUIRED | {"good"} else random.random(rows) < 0.1
        columns[field.name] = pa.array(values[field.name], mask=null).cast(field.type)
    return pa.table(columns, schema=SCHEMA)
