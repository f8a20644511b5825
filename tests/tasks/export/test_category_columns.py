from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasks.export.blend_graph import export_blend
from tasks.export.category_columns import column_input, with_column_inputs
from tasks.models.blend import BlendPredictor
from tasks.models.predictor import NetworkPredictor
from tests.tasks.export import small_model
from tests.tasks.export.small_bundle import exported_network

CONSTANTS = small_model.preprocessing()
SIZES = (len(CONSTANTS.numeric), len(CONSTANTS.categorical))


def scores_of(model: onnx.ModelProto, numeric: np.ndarray, categorical: np.ndarray) -> np.ndarray:
    columns = {column_input(place): codes for place, codes in enumerate(categorical.T.copy())}
    feed = {"numeric": numeric, "categorical": categorical, **columns}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (scores,) = session.run(None, {each.name: feed[each.name] for each in session.get_inputs()})
    return np.asarray(scores)


def inputs_of(model: onnx.ModelProto) -> list[str]:
    return [each.name for each in model.graph.input]


@pytest.mark.parametrize("kind", ["network", "blend"])
def test_a_network_reads_each_category_by_itself(kind: str) -> None:
    exported = exported_network()
    if kind == "blend":
        network = NetworkPredictor(small_model.network(CONSTANTS))
        blend = BlendPredictor([network, network], (1.0, 2.0), CONSTANTS.target)
        exported = export_blend(blend, [exported, exported], *SIZES)
    before = exported.SerializeToString(deterministic=True)
    model = with_column_inputs(exported)
    onnx.checker.check_model(model, full_check=True)
    assert inputs_of(model) == ["numeric", *(column_input(place) for place in range(SIZES[1]))]
    assert exported.SerializeToString(deterministic=True) == before
    random = np.random.default_rng(0)
    numeric = random.normal(size=(9, SIZES[0])).astype(np.float32)
    categorical = random.integers(0, 3, (9, SIZES[1]))
    for rows in (1, 9):
        some = numeric[:rows], categorical[:rows]
        np.testing.assert_array_equal(scores_of(model, *some), scores_of(exported, *some))


def small_graph(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """A model of three categories alone; the names of its constants say what they are."""
    values = {"last": np.array(-1), "first": np.array(0), "two": np.array([0, 2]), "one": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "scores",
        [helper.make_tensor_value_info("categorical", TensorProto.INT64, ["batch", 3])],
        [helper.make_tensor_value_info("logits", TensorProto.INT64, None)],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def taken(index: str, output: str, axis: int = 1) -> onnx.NodeProto:
    return helper.make_node("Gather", ["categorical", index], [output], axis=axis)


@pytest.mark.parametrize(
    ("nodes", "inputs"),
    [
        ([taken("last", "a"), helper.make_node("Identity", ["a"], ["logits"])], ["categorical_2"]),
        ([taken("last", "a"), taken("last", "b"), helper.make_node("Add", ["a", "b"], ["logits"])], ["categorical_2"]),
        ([taken("two", "logits")], ["categorical"]),
        ([taken("first", "logits", axis=0)], ["categorical"]),
        (
            [
                taken("first", "a"),
                taken("two", "b"),
                helper.make_node("Unsqueeze", ["a", "one"], ["c"]),
                helper.make_node("Concat", ["b", "c"], ["logits"], axis=1),
            ],
            ["categorical", "categorical_0"],
        ),
    ],
)
def test_only_single_columns_become_inputs(nodes: list[onnx.NodeProto], inputs: list[str]) -> None:
    model = small_graph(*nodes)
    rewritten = with_column_inputs(model)
    assert inputs_of(rewritten) == inputs
    categorical = np.arange(12).reshape(4, 3)
    no_numbers = np.zeros((4, 0), np.float32)
    np.testing.assert_array_equal(
        scores_of(rewritten, no_numbers, categorical), scores_of(model, no_numbers, categorical)
    )
    used = {name for node in rewritten.graph.node for name in node.input}
    assert {tensor.name for tensor in rewritten.graph.initializer} <= used


def test_a_graph_with_a_branch_stays_as_it_is() -> None:
    inner = helper.make_tensor_value_info("inner", TensorProto.INT64, None)
    branch = helper.make_graph([taken("first", "inner")], "branch", [], [inner])
    model = small_graph(helper.make_node("If", ["yes"], ["logits"], then_branch=branch, else_branch=branch))
    assert with_column_inputs(model) == model
