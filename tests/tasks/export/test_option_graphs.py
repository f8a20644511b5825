"""Every option of preprocessing gives the same features in the graph as in the transform, whatever the constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import Contract
from tasks.export.preprocessing_graph import build_preprocessing
from tasks.export.raw_columns import feed, input_specs
from tasks.preprocessing.config import RowOutlierConfig
from tasks.preprocessing.constants import (
    CategoricalFeature,
    Chain,
    Curve,
    Encoding,
    NumericFeature,
    Preprocessing,
)
from tasks.preprocessing.finish import finished_matrix
from tasks.preprocessing.forest import fit_forest
from tasks.preprocessing.raw_rows import RawRows
from tasks.preprocessing.transform import transform
from tests.tasks.export import small_model

NUMBERS = ("amount", "weight", "seats", "line", "late", "paid")
SOURCES = {"amount": "number", "weight": "number", "seats": "integer", "line": "integer", "late": "boolean"}
finite = st.floats(-1e6, 1e6)


def assert_graph_agrees(constants: Preprocessing, table: pa.Table, contract: Contract | None = None) -> np.ndarray:
    """Compare both paths: codes exactly, numbers within 1e-6 of their size. Returns the numbers."""
    inputs = input_specs(contract or small_model.contract(), constants)
    graph = build_preprocessing(constants, inputs)
    model = spox.build(dict(graph.inputs), {"numeric": graph.numeric, "categorical": graph.categorical})
    model.ir_version = 10
    session = onnxruntime.InferenceSession(model.SerializeToString())
    numeric, categorical = session.run(["numeric", "categorical"], feed(table, inputs))
    expected = transform(table, constants)
    assert np.isfinite(expected.numeric).all()
    np.testing.assert_allclose(numeric, expected.numeric, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(categorical, expected.categorical)
    return expected.numeric


def constants_of(numeric: list[NumericFeature], **others: Any) -> Preprocessing:
    target = small_model.preprocessing().target
    return Preprocessing(numeric=tuple(numeric), categorical=(), target=target, **others)


@st.composite
def curves(draw: st.DrawFn) -> Curve | None:
    kind = draw(st.sampled_from([None, "log1p", "yeo-johnson", "knots"]))
    if kind == "knots":
        knots = sorted(draw(st.sets(finite, min_size=1, max_size=6)))
        heights = sorted(draw(st.lists(st.floats(-5, 5), min_size=len(knots), max_size=len(knots))))
        return Curve(kind="knots", knots=tuple(knots), heights=tuple(heights))
    if kind == "yeo-johnson":
        return Curve(kind=kind, power=draw(st.sampled_from([0.0, 1.0, 2.0]) | st.floats(-1, 3)))
    return None if kind is None else Curve(kind=kind)


@st.composite
def numbers(draw: st.DrawFn) -> list[NumericFeature]:
    features = []
    for index in range(draw(st.integers(1, 7))):
        column = draw(st.sampled_from(sorted(SOURCES)))
        curve = draw(curves())
        logarithmic = curve is not None and curve.kind == "log1p"
        lower = draw(st.floats(-0.9, 10) if logarithmic else st.floats(-1e4, 10))
        features.append(
            NumericFeature(
                name=f"f{index}",
                column=column,
                source=SOURCES[column],
                kind=draw(st.sampled_from(["number", "number", "is_null", "is_outlier"])),
                outside=draw(st.sampled_from(["clip", "null"])),
                fill=draw(finite),
                lower=lower,
                upper=lower + draw(st.floats(1e-3, 1e4)),
                curve=curve,
                center=draw(st.floats(-10, 10)),
                spread=draw(st.floats(0.1, 1e3)),
            )
        )
    return features


@given(features=numbers(), table=small_model.tables())
@settings(max_examples=40, deadline=None)
def test_outliers_fills_curves_and_scales(features: list[NumericFeature], table: pa.Table) -> None:
    assert_graph_agrees(constants_of(features), table)


@given(table=small_model.tables())
@settings(max_examples=20, deadline=None)
def test_cyclic_parts(table: pa.Table) -> None:
    parts = ("month", "day_of_week", "hour", "day_of_year", "minute_of_day")
    features = [
        NumericFeature(name=f"{part}_{kind}", column="at", source="timestamp", part=part, kind=kind)
        for part in parts
        for kind in ("sine", "cosine")
    ]
    found = assert_graph_agrees(constants_of(features), table)
    lengths = np.square(found).reshape(len(found), -1, 2).sum(axis=2)
    nulls = table["at"].is_null().to_numpy()
    np.testing.assert_allclose(lengths, np.where(nulls, 0.0, 1.0)[:, None] * np.ones((1, len(parts))), atol=1e-6)


def _encodings(fill: str | None) -> list[Encoding]:
    found = []
    for column, source, vocabulary in (
        ("carrier", "string", ("AA", "B6", "Ü")),
        ("seats", "integer", ("-7", "0", "3")),
        ("line", "integer", ("1", "2")),
        ("late", "boolean", ("0", "1")),
    ):
        filled = fill if column == "carrier" else None
        category = CategoricalFeature(name=column, column=column, source=source, vocabulary=vocabulary, fill=filled)
        names = [f"{column}_{output}" for output in range(category.cardinality)]
        positions = (-1, *range(category.cardinality - 1))
        hot = category.model_copy(update={"name": f"{column}_hot"})
        found.append(Encoding(category=hot, method="one-hot", outputs=tuple(names), positions=positions))
        values = np.random.default_rng(len(found)).random((2, category.cardinality))
        means = (f"{column}_mean_0", f"{column}_mean_1")
        found.append(
            Encoding(category=category, method="target", outputs=means, values=tuple(map(tuple, values.tolist())))
        )
    return found


@pytest.mark.parametrize("fill", [None, "B6", "never"])
@given(table=small_model.tables())
@settings(max_examples=12, deadline=None)
def test_encodings_stand_where_their_features_do(fill: str | None, table: pa.Table) -> None:
    encodings = _encodings(fill)
    features = [
        NumericFeature(
            name=name,
            column=each.category.column,
            source="string",
            kind="encoded",
            encoding=each.category.name,
            output=k,
        )
        for each in encodings
        for k, name in enumerate(each.outputs)
    ]
    number = NumericFeature(name="amount", column="amount", source="number", lower=-5.0, upper=5.0)
    mixed = [*features[::-2], number, *features[1::-2], *features[3::2]]
    mixed = list({each.name: each for each in mixed}.values())
    assert_graph_agrees(constants_of(mixed, encodings=tuple(encodings)), table)


@given(table=small_model.tables(), seed=st.integers(0, 1_000), rounds=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_chained_equations(table: pa.Table, seed: int, rounds: int) -> None:
    random = np.random.default_rng(seed)
    features = [
        NumericFeature(
            name=f"f_{column}",
            column=column,
            source=SOURCES[column],
            outside="null" if column == "weight" else "clip",
            fill=0.5,
            chained=True,
            lower=-20.0,
            upper=30.0,
            center=0.3,
            spread=2.0,
            curve=Curve(kind="yeo-johnson", power=0.5) if column == "amount" else None,
        )
        for column in SOURCES
    ]
    targets = (1, 0, 4)
    weights = random.normal(size=(3, 5)) / 2
    for row, target in enumerate(targets):
        weights[row, target] = 0.0
    chain = Chain(
        features=tuple(each.name for each in features),
        center=tuple(random.normal(size=5).tolist()),
        spread=tuple((1 + random.random(5)).tolist()),
        targets=targets,
        weights=tuple(map(tuple, weights.tolist())),
        intercepts=tuple(random.normal(size=3).tolist()),
        rounds=rounds,
    )
    indicator = NumericFeature(name="amount_is_null", column="amount", source="number", kind="is_null")
    assert_graph_agrees(constants_of([indicator, *features], chain=chain), table)


@pytest.fixture(scope="module")
def with_forest() -> Preprocessing:
    features = [
        NumericFeature(name=column, column=column, source=SOURCES[column], lower=-9.0, upper=9.0, spread=3.0)
        for column in ("amount", "weight", "seats")
    ]
    constants = constants_of(features)
    names, matrix = finished_matrix(constants, RawRows(small_model.some_rows(400)))
    config = RowOutlierConfig(action="flag", contamination=0.2, trees=20)
    return fit_forest(constants, names, matrix, config)


@given(table=small_model.tables())
@settings(max_examples=40, deadline=None)
def test_the_forest_decides_the_same(with_forest: Preprocessing, table: pa.Table) -> None:
    assert_graph_agrees(with_forest, table)


def test_the_forest_flags_about_the_share_that_it_was_told(with_forest: Preprocessing) -> None:
    flags = assert_graph_agrees(with_forest, small_model.some_rows(400))[:, -1]
    assert set(flags.tolist()) == {0.0, 1.0}
    assert flags.mean() == pytest.approx(0.2, abs=0.03)
