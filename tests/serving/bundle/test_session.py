from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from serving.bundle.session import SESSION_ERRORS, load_session


def added() -> bytes:
    inputs = [
        helper.make_tensor_value_info("number", onnx.TensorProto.DOUBLE, ["batch"]),
        helper.make_tensor_value_info("other", onnx.TensorProto.DOUBLE, ["batch"]),
    ]
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["batch"]) for name in ("sum", "opposite")]
    nodes = [helper.make_node("Add", ["number", "other"], ["sum"]), helper.make_node("Neg", ["sum"], ["opposite"])]
    graph = helper.make_graph(nodes, "added", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


FEED = {"number": np.array([1.0, 2.0]), "other": np.array([0.5, 0.5])}


def test_outputs_come_in_the_order_asked_for_and_all_by_default() -> None:
    session = load_session(added())
    opposite, total = session.run(("opposite", "sum"), FEED)
    np.testing.assert_array_equal(total, [1.5, 2.5])
    np.testing.assert_array_equal(opposite, [-1.5, -2.5])
    np.testing.assert_array_equal(session.run(None, FEED)[0], total)


@pytest.mark.parametrize(
    "feed",
    [
        {"number": FEED["number"]},
        {**FEED, "third": FEED["number"]},
        {**FEED, "other": np.array([1, 2])},
        {**FEED, "other": np.array([[1.0, 2.0]])},
        {**FEED, "other": np.array(["a", "b"], dtype=object)},
    ],
)
def test_what_the_graph_cannot_take_is_an_error(feed: dict[str, np.ndarray]) -> None:
    session = load_session(added())
    with pytest.raises(SESSION_ERRORS):
        session.run(["sum"], feed)


def test_an_output_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SESSION_ERRORS):
        load_session(added()).run(["product"], FEED)


def test_bytes_of_another_format_are_refused() -> None:
    with pytest.raises(SESSION_ERRORS):
        load_session(b"ORTM and the like")
