"""Whatever the datatype and the form on the wire, the same values become the same tensor or break the same rules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import NULL_TIMESTAMP, InputRule, InputSpec
from serving.errors import ContractViolationError
from serving.records.column import Column
from serving.records.datatypes import FLOATS, INTEGERS, WIRE_DTYPES, Tensor
from serving.records.findings import Findings
from serving.records.request import InferRequest, InputValues
from serving.records.rules import UnservableError
from serving.records.tensor_column import TensorColumn
from serving.records.tensors import Tensors
from tests.serving.bundles import small_manifest

RULES: dict[str, list[tuple[InputRule, ...]]] = {
    "number": [
        (),
        (InputRule(id="x.low", kind="minimum", argument=-2), InputRule(id="x.high", kind="maximum", argument=7.5)),
        (InputRule(id="x.enum", kind="enum", argument=(0, 1.5, 3)),),
        (InputRule(id="x.step", kind="multiple_of", argument=0.5),),
        (
            InputRule(id="x.f", kind="format", argument="i8"),
            InputRule(id="x.open", kind="exclusive_minimum", argument=0),
        ),
    ],
    "integer": [
        (),
        (InputRule(id="x.low", kind="minimum", argument=-2), InputRule(id="x.high", kind="maximum", argument=2**53)),
        (InputRule(id="x.enum", kind="enum", argument=(0, 1, 2**53 + 1)),),
        (InputRule(id="x.step", kind="multiple_of", argument=3), InputRule(id="x.f", kind="format", argument="i32")),
        (InputRule(id="x.half", kind="multiple_of", argument=0.5),),
    ],
    "boolean": [(), (InputRule(id="x.enum", kind="enum", argument=(True,)),)],
    "timestamp": [(), (InputRule(id="x.low", kind="minimum", argument="1970-01-02"),)],
    "date": [(InputRule(id="x.high", kind="maximum", argument="1971-01-01"),)],
}
OWN: dict[str, Any] = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "timestamp": "BYTES", "date": "BYTES"}
_EDGES = [0, 1, 2, 3, -2, 127, 2**31, 2**53, 2**53 + 1, 2**63 - 1]
_FRACTIONS = st.sampled_from([0.0, 1.0, 0.5, 1.5, 7.5, 65504.0, math.inf, -math.inf]) | st.floats(width=16)


def spec(kind: str, *, nullable: bool, rules: tuple[InputRule, ...] = ()) -> InputSpec:
    tensor: Any = {"number": "float64", "timestamp": "int64", "date": "int64", "boolean": "bool"}.get(kind, "int64")
    if nullable and kind in {"integer", "boolean"}:
        tensor = "float64"
    return InputSpec(
        name="x",
        datatype=OWN[kind],
        tensor=tensor,
        logical_type=kind,
        nullable=nullable,
        rules=rules,
    )


def binary_datatypes(column: Column) -> list[str]:
    return sorted(column.datatypes - {"BYTES"})


@st.composite
def columns(draw: st.DrawFn) -> tuple[InputSpec, str, list[Any]]:
    """A column, one of its binary datatypes, and values of that, None for null where it has a form for it."""
    kind = draw(st.sampled_from(sorted(RULES)))
    drawn = spec(kind, nullable=draw(st.booleans()), rules=draw(st.sampled_from(RULES[kind])))
    datatype: Any = draw(st.sampled_from(binary_datatypes(Column(drawn))))
    null: st.SearchStrategy[Any] = st.nothing()
    if datatype in FLOATS:
        values: st.SearchStrategy[Any] = _FRACTIONS.map(WIRE_DTYPES[datatype].type).map(float).filter(_is_number)
        null = st.none()
    elif datatype == "BOOL":
        values = st.booleans()
    else:
        limits = np.iinfo(WIRE_DTYPES[datatype])
        low, high = int(limits.min), int(limits.max)
        values = st.integers(low, high) | st.sampled_from([edge for edge in _EDGES if low <= edge <= high])
        if kind in {"timestamp", "date"}:
            values = (values | st.integers(-400, 400).map(lambda day: day * 86_400_000_000)).filter(_is_moment)
            null = st.none()
    return drawn, datatype, draw(st.lists(values | null, min_size=1, max_size=6))


def _is_number(value: float) -> bool:
    return not math.isnan(value)


def _is_moment(value: int) -> bool:
    return value != NULL_TIMESTAMP


def in_binary(values: list[Any], datatype: Any) -> Tensor:
    null = math.nan if datatype in FLOATS else NULL_TIMESTAMP
    return np.array([null if value is None else value for value in values], dtype=WIRE_DTYPES[datatype])


def outcome(column: Column | TensorColumn, values: Any, datatype: str) -> tuple[Any, Any]:
    """Return the tensor's type and bytes, or what broke."""
    findings = Findings()
    tensor = column.tensor(values, datatype, findings)
    if tensor is None:
        assert findings.count > 0
        return findings.count, [(found["rule"], found["row"], found["got"]) for found in findings.first]
    assert not findings.count
    return tensor.dtype, tensor.tobytes()


@settings(max_examples=100, deadline=None)
@given(columns())
def test_json_and_binary_agree(drawn: tuple[InputSpec, str, list[Any]]) -> None:
    described, datatype, values = drawn
    # JSON has no infinity; the endpoint's own word for it is a text, which no number is.
    as_json = ["Infinity" if v == math.inf else "-Infinity" if v == -math.inf else v for v in values]
    column = Column(described)
    assert outcome(column, as_json, datatype) == outcome(column, in_binary(values, datatype), datatype)


@settings(max_examples=60, deadline=None)
@given(columns())
def test_a_column_is_what_its_values_are_one_by_one(drawn: tuple[InputSpec, str, list[Any]]) -> None:
    described, datatype, values = drawn
    values = [value for value in values if value not in {math.inf, -math.inf}]
    column = Column(described)
    alone = [column.tensor([value], datatype, Findings()) for value in values]
    together = column.tensor(values, datatype, Findings()) if values else np.array([])
    assert (together is None) == any(tensor is None for tensor in alone)
    if together is not None:
        assert together.tobytes() == b"".join(tensor.tobytes() for tensor in alone if tensor is not None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["UA", " ua", "ZZ", "", "NA", None, 5, "x" * 70]), min_size=1, max_size=5))
def test_texts_are_read_the_same_the_second_time(values: list[Any]) -> None:
    described = small_manifest().inputs[0]
    column = Column(described)
    assert outcome(column, values, "BYTES") == outcome(column, values, "BYTES") == outcome(column, values, "BYTES")
    for value in values:
        assert outcome(column, [value], "BYTES") == outcome(Column(described), [value], "BYTES")


@st.composite
def requests(draw: st.DrawFn) -> list[InferRequest]:
    """Requests for the small model, each of one or two rows and each input in a form of its own."""
    drawn = []
    for _ in range(draw(st.integers(1, 5))):
        rows = draw(st.integers(1, 2))
        carrier = draw(st.lists(st.sampled_from(["UA", "AA", None, "", "ZZ"]), min_size=rows, max_size=rows))
        seats = draw(st.lists(st.integers(0, 100), min_size=rows, max_size=rows))
        distance = draw(st.lists(st.none() | st.floats(-1, 9, width=32), min_size=rows, max_size=rows))
        sizes: Any = draw(st.sampled_from(["INT64", "UINT8", "INT16"]))
        width: Any = draw(st.sampled_from(["FP64", "FP32"]))
        binary = draw(st.booleans())
        inputs = {
            "carrier": InputValues("BYTES", carrier),
            "seats": InputValues(sizes, in_binary(seats, sizes) if binary else seats),
            "distance": InputValues(width, in_binary(distance, width) if binary else distance),
        }
        plain = not binary and (sizes, width) == ("INT64", "FP64")
        drawn.append(InferRequest(None, rows, inputs, (), plain))
    return drawn


_JOINED = Tensors(small_manifest(inputs=small_manifest().inputs[:3]))


@settings(max_examples=40, deadline=None)
@given(requests())
def test_joined_requests_give_what_each_alone_gives(drawn: list[InferRequest]) -> None:
    joined = _JOINED.joined(drawn)
    feeds = []
    for request in drawn:
        try:
            feeds.append(_JOINED.feed(request))
        except ContractViolationError:
            assert joined is None
            return
    assert joined is not None
    for name, tensor in joined.items():
        np.testing.assert_array_equal(tensor, np.concatenate([feed[name] for feed in feeds]))


def test_every_column_says_what_it_accepts() -> None:
    required, optional = (
        {kind: set(Column(spec(kind, nullable=nullable)).datatypes) for kind in OWN} for nullable in (False, True)
    )
    assert required["number"] == optional["number"] == {*FLOATS, *INTEGERS}
    assert required["integer"] == set(INTEGERS)
    assert optional["integer"] == {*INTEGERS, "FP32", "FP64"}
    assert required["boolean"] == {"BOOL"}
    assert optional["boolean"] == {"BOOL", "FP32", "FP64"}
    assert required["timestamp"] == optional["date"] == {"BYTES", "INT64"}


@pytest.mark.parametrize(
    ("kind", "datatype", "values", "got"),
    [
        ("integer", "UINT64", [2**63], 2**63),
        ("integer", "FP64", [1.5], 1.5),
        ("integer", "FP32", [2.0**63], 2.0**63),
        ("number", "INT64", [2**53 + 1], 2**53 + 1),
        ("boolean", "FP32", [2.0], 2.0),
        ("number", "FP64", [math.inf], "Infinity"),
        ("number", "FP32", [-math.inf], "-Infinity"),
        ("date", "INT64", [1], 1),
    ],
)
def test_a_value_that_would_lose_something_breaks_the_type(kind: str, datatype: str, values: Any, got: Any) -> None:
    column = Column(spec(kind, nullable=True))
    assert outcome(column, in_binary(values, datatype), datatype) == (1, [("x.type", 0, got)])


def test_null_has_a_form_in_every_datatype_with_room_for_it() -> None:
    for kind, datatype, null in [
        ("number", "FP16", None),
        ("number", "FP32", None),
        ("integer", "FP64", None),
        ("boolean", "FP32", None),
        ("timestamp", "INT64", None),
        ("date", "INT64", None),
    ]:
        null_tensor = in_binary([null], datatype)
        optional, required = (Column(spec(kind, nullable=nullable)) for nullable in (True, False))
        assert outcome(optional, null_tensor, datatype) == outcome(optional, [None], OWN[kind])
        if datatype in required.datatypes:
            assert outcome(required, null_tensor, datatype) == (1, [("x.required", 0, None)])


def tensor_spec(datatype: Any, tensor: Any, *, nullable: bool = False) -> InputSpec:
    return InputSpec(name="x", datatype=datatype, tensor=tensor, logical_type="tensor", nullable=nullable, shape=(2,))


TENSORS = [(name, dtype.name) for name, dtype in WIRE_DTYPES.items()]


@pytest.mark.parametrize(("datatype", "tensor"), TENSORS)
def test_a_tensor_holds_every_number_of_its_datatype_and_no_other(datatype: Any, tensor: str) -> None:
    column = TensorColumn(tensor_spec(datatype, tensor))
    dtype = WIRE_DTYPES[datatype]
    if datatype == "BOOL":
        good: list[Any] = [True, False]
        bad: list[Any] = [1, 0.0, "true", None, []]
    elif datatype in FLOATS:
        largest = float(np.finfo(dtype).max)
        good, bad = [largest, 1], [True, "1", None, [], {}] + ([] if datatype == "FP64" else [largest * 1.01])
    else:
        limits = np.iinfo(dtype)
        good, bad = [int(limits.min), int(limits.max)], [int(limits.max) + 1, int(limits.min) - 1, 1.0, True, "1", None]
    array = np.array(good, dtype=dtype)
    assert outcome(column, good, datatype) == outcome(column, array, datatype) == (dtype, array.tobytes())
    for value in bad:
        count, found = outcome(column, [*good, good[0], value], datatype)
        assert (count, found[0][:2]) == (1, ("x.required" if value is None else "x.type", 1))


def test_nan_is_null_in_a_tensor_that_may_have_it_and_infinity_never_is() -> None:
    values = np.array([1.0, math.nan, math.inf, 0.0], dtype=np.float32)
    optional, required = (TensorColumn(tensor_spec("FP32", "float32", nullable=nullable)) for nullable in (True, False))
    assert outcome(optional, [1.0, None], "FP32") == outcome(optional, values[:2], "FP32")
    assert outcome(required, values, "FP32") == (2, [("x.required", 0, None), ("x.type", 1, "Infinity")])
    assert outcome(optional, values, "FP32") == (1, [("x.type", 1, "Infinity")])


def test_texts_may_be_a_tensor() -> None:
    column = TensorColumn(tensor_spec("BYTES", "string"))
    assert column.tensor(["a", ""], "BYTES", Findings()).tolist() == [["a", ""]]  # type: ignore[union-attr]
    assert outcome(column, ["a", 5], "BYTES") == (1, [("x.type", 0, 5)])


@pytest.mark.parametrize("changes", [{"tensor": "int32"}, {"tensor": "string"}, {"datatype": "BYTES"}])
def test_a_column_that_cannot_be_served_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnservableError, match="input 'x': a column of integer"):
        Column(spec("integer", nullable=False).model_copy(update=changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"nullable": True},
        {"tensor": "float32"},
        {"rules": (InputRule(id="x.low", kind="minimum", argument=0),)},
    ],
)
def test_a_tensor_that_cannot_be_served_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnservableError, match="input 'x'"):
        TensorColumn(tensor_spec("INT32", "int32").model_copy(update=changes))
