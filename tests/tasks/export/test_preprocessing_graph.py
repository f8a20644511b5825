from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import InputSpec
from tasks.errors import ConfigError
from tasks.export.preprocessing_graph import build_preprocessing
from tasks.export.raw_columns import feed, input_specs
from tasks.preprocessing.constants import CategoricalFeature, Preprocessing
from tasks.preprocessing.transform import transform
from tests.tasks.export import small_model


class Graph:
    """A preprocessing graph of its own, loaded."""

    def __init__(self, constants: Preprocessing, inputs: tuple[InputSpec, ...]) -> None:
        self.inputs = inputs
        graph = build_preprocessing(constants, inputs)
        model = spox.build(dict(graph.inputs), {"numeric": graph.numeric, "categorical": graph.categorical})
        model.ir_version = 10
        self.nodes = [node.op_type for node in model.graph.node if node.op_type != "Constant"]
        self.session = onnxruntime.InferenceSession(model.SerializeToString())

    def run(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        numeric, categorical = self.session.run(["numeric", "categorical"], feed(table, self.inputs))
        return numeric, categorical


CONSTANTS = small_model.preprocessing()


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(CONSTANTS, input_specs(small_model.contract(), CONSTANTS))


def assert_same_bits(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.view(np.int32), expected.view(np.int32))


@settings(max_examples=150, deadline=None)
@given(table=small_model.tables())
def test_graph_gives_the_transforms_very_bits(graph: Graph, table: pa.Table) -> None:
    numeric, categorical = graph.run(table)
    expected = transform(table, CONSTANTS)
    assert numeric.dtype == np.float32
    assert categorical.dtype == np.int64
    assert_same_bits(numeric, expected.numeric)
    np.testing.assert_array_equal(categorical, expected.categorical)


def test_no_rows_give_no_rows(graph: Graph) -> None:
    numeric, categorical = graph.run(small_model.some_rows(3).slice(0, 0))
    assert numeric.shape == (0, len(CONSTANTS.numeric))
    assert categorical.shape == (0, len(CONSTANTS.categorical))


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_kind_of_feature_may_be_missing(kind: str) -> None:
    constants = CONSTANTS.model_copy(update={kind: ()})
    table = small_model.some_rows(9)
    numeric, categorical = Graph(constants, input_specs(small_model.contract(), constants)).run(table)
    expected = transform(table, constants)
    assert_same_bits(numeric, expected.numeric)
    np.testing.assert_array_equal(categorical, expected.categorical)


def test_numeric_nodes_do_not_grow_with_columns() -> None:
    kinds = [each for each in CONSTANTS.numeric if each.part is None]
    sizes = []
    for count in (2, 40):
        features = tuple(
            each.model_copy(update={"name": f"{each.name}_{index}"}) for index in range(count) for each in kinds
        )
        constants = CONSTANTS.model_copy(update={"numeric": features, "categorical": ()})
        sizes.append(len(Graph(constants, input_specs(small_model.contract(), constants)).nodes))
    assert sizes[0] == sizes[1]


def test_columns_of_one_type_are_converted_together() -> None:
    features = [each for each in CONSTANTS.numeric if each.part is None]
    alternating = tuple(
        each.model_copy(update={"name": f"{each.name}_{index}"}) for index in range(3) for each in features
    )
    constants = CONSTANTS.model_copy(update={"numeric": alternating, "categorical": ()})
    graph = Graph(constants, input_specs(small_model.contract(), constants))
    # Of the required integer, the required boolean, the finished numbers and the indicators.
    assert graph.nodes.count("Cast") == 4
    assert graph.nodes.count("IsNaN") == 1


def test_parts_of_a_required_date_are_looked_up_without_asking_for_null() -> None:
    contract = small_model.contract()
    days = tuple(
        column.model_copy(update={"required": True}) if column.name == "day" else column for column in contract.columns
    )
    features = tuple(
        each.model_copy(update={"name": f"day_{each.part}", "column": "day"})
        for each in CONSTANTS.numeric
        if each.part is not None
    )
    constants = CONSTANTS.model_copy(update={"numeric": features})
    graph = Graph(constants, input_specs(contract.model_copy(update={"columns": days}), constants))
    assert "Equal" not in graph.nodes
    place = small_model.SCHEMA.get_field_index("day")
    rows = small_model.some_rows(2_000)
    rows = rows.set_column(place, "day", pa.array(np.arange(2_000) * 321 - 300_000, pa.int32()).cast(pa.date32()))
    numeric, categorical = graph.run(rows)
    expected = transform(rows, constants)
    assert_same_bits(numeric, expected.numeric)
    np.testing.assert_array_equal(categorical, expected.categorical)


@st.composite
def mixtures(draw: st.DrawFn) -> Preprocessing:
    """Some of the features in any order, with indicators that have a number of their own, another's, or none."""
    numbers = [each for each in CONSTANTS.numeric if each.kind == "number"]
    flags = [
        each.model_copy(update={"name": f"{each.name}_{kind}_{outside}", "kind": kind, "outside": outside})
        for each in numbers
        for kind, outside in (("is_null", "clip"), ("is_null", "null"), ("is_outlier", "clip"))
    ]
    waves = [
        each.model_copy(update={"name": f"{each.name}_{kind}", "kind": kind})
        for each in numbers
        for kind in ("sine", "cosine")
        if each.part not in {None, "day_of_month"}
    ]
    numeric = draw(st.lists(st.sampled_from([*numbers, *flags, *waves]), max_size=12, unique_by=lambda each: each.name))
    categorical = draw(st.lists(st.sampled_from(CONSTANTS.categorical), max_size=4, unique_by=lambda each: each.name))
    return CONSTANTS.model_copy(
        update={
            "numeric": tuple(
                each.model_copy(update={"outside": draw(st.sampled_from(["clip", "null"]))})
                if each.kind == "number"
                else each
                for each in numeric
            ),
            "categorical": tuple(categorical) if numeric or categorical else CONSTANTS.categorical[:1],
        }
    )


@settings(max_examples=25, deadline=None)
@given(constants=mixtures(), table=small_model.tables())
def test_any_mixture_in_any_order_gives_the_very_bits(constants: Preprocessing, table: pa.Table) -> None:
    numeric, categorical = Graph(constants, input_specs(small_model.contract(), constants)).run(table)
    expected = transform(table, constants)
    assert_same_bits(numeric, expected.numeric)
    np.testing.assert_array_equal(categorical, expected.categorical)


def test_categories_that_float64_cannot_tell_apart_are_refused() -> None:
    feature = CategoricalFeature(name="seats", column="seats", source="integer", vocabulary=(str(2**53 + 1),))
    constants = CONSTANTS.model_copy(update={"categorical": (feature,)})
    with pytest.raises(ConfigError, match=r"feature seats.*2\*\*53.*9007199254740993") as caught:
        build_preprocessing(constants, input_specs(small_model.contract(), constants))
    assert "do: make seats a string" in str(caught.value)


def test_large_categories_of_a_required_integer_are_exact() -> None:
    feature = CategoricalFeature(name="line", column="line", source="integer", vocabulary=(str(2**53), str(2**53 + 1)))
    constants = CONSTANTS.model_copy(update={"numeric": (), "categorical": (feature,)})
    table = small_model.some_rows(2).set_column(
        small_model.SCHEMA.get_field_index("line"), "line", pa.array([2**53 + 1, 2**53 + 2])
    )
    _, categorical = Graph(constants, input_specs(small_model.contract(), constants)).run(table)
    np.testing.assert_array_equal(categorical, transform(table, constants).categorical)
