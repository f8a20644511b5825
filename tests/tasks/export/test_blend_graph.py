from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import onnxruntime
import pytest
import torch
from scipy.special import expit, softmax

from tasks.export.model import build_model, serialize
from tasks.export.prediction_paths import TrainingPath
from tasks.export.raw_columns import feed, input_specs
from tasks.export.scores import export_scores
from tasks.models.blend import BlendPredictor
from tasks.models.linear import LinearConfig
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.registry import build_network
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput
from tasks.models.tree_arrays import from_lightgbm
from tasks.models.trees import TreesPredictor, feature_table
from tasks.prediction.decision import Decision
from tasks.preprocessing.transform import transform
from tests.tasks.export import small_model
from tests.tasks.training.small_jobs import TARGETS

WEIGHTS = (3.0, 1.0)


def _trees(outputs: int, scale: float, cut: float) -> TreesPredictor:
    grown = [
        (
            output,
            {
                "split_feature": output % 3,
                "threshold": cut,
                "decision_type": "<=",
                "left_child": {"leaf_value": -scale * output},
                "right_child": {"leaf_value": scale * (output + 1)},
            },
        )
        for output in range(outputs)
    ]
    return TreesPredictor(from_lightgbm(grown), features=3, outputs=outputs)


def _network(outputs: int) -> NetworkPredictor:
    spec = FeatureSpec(
        numeric=(NumericInput(name="a"), NumericInput(name="b")),
        categorical=(CategoricalInput(name="k", cardinality=5),),
        outputs=outputs,
    )
    torch.manual_seed(0)
    network = build_network(LinearConfig(), spec)
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    return NetworkPredictor(network)


def _require_parity(problem: str, members: list[Predictor]) -> None:
    target = TARGETS[problem]
    blend = BlendPredictor(members, WEIGHTS, target)
    random = np.random.default_rng(1)
    inputs: list[Any] = [random.normal(size=(40, 2)).astype(np.float32), random.integers(0, 5, (40, 1))]
    scores = blend.scores(*inputs)
    session = onnxruntime.InferenceSession(export_scores(blend, 2, 1).SerializeToString())
    (served,) = session.run(["logits"], {"numeric": inputs[0], "categorical": inputs[1]})
    first, second = (member.scores(*inputs) for member in members)
    if target.kind == "number":
        np.testing.assert_allclose(scores, 0.75 * first + 0.25 * second)
        np.testing.assert_allclose(served, scores, rtol=1e-6, atol=1e-6)
        return
    chance = expit if target.kind == "labels" else lambda each: softmax(each, axis=1)
    expected = 0.75 * chance(first) + 0.25 * chance(second)
    np.testing.assert_allclose(chance(scores), expected, atol=1e-12)
    np.testing.assert_allclose(chance(served.astype(np.float64)), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 900.0])
@pytest.mark.parametrize("problem", TARGETS)
def test_the_graph_says_what_the_blend_says(problem: str, scale: float) -> None:
    outputs = TARGETS[problem].outputs
    _require_parity(problem, [_trees(outputs, scale, 0.5), _trees(outputs, -scale, -0.5)])


def test_networks_and_trees_stand_in_one_graph() -> None:
    outputs = TARGETS["multiclass"].outputs
    _require_parity("multiclass", [_network(outputs), _trees(outputs, 1.0, 0.5)])


def test_a_blend_of_one_is_that_one() -> None:
    target = TARGETS["multiclass"]
    member = _trees(target.outputs, 1.0, 0.5)
    inputs: list[Any] = [np.ones((3, 2), np.float32), np.zeros((3, 1), np.int64)]
    alone = softmax(member.scores(*inputs), axis=1)
    np.testing.assert_allclose(np.exp(BlendPredictor([member], [2.0], target).scores(*inputs)), alone)


def test_raw_rows_reach_trees_in_a_whole_model() -> None:
    constants = small_model.preprocessing()
    inputs = input_specs(small_model.contract(), constants)
    sizes = len(constants.numeric), len(constants.categorical)
    table = small_model.some_rows(200)
    features = transform(table, constants)
    random = np.random.default_rng(0)
    read = feature_table(features.numeric, features.categorical)
    data = lightgbm.Dataset(read, random.integers(0, 2, len(read)))
    settings = {"objective": "binary", "min_data_in_leaf": 1, "verbosity": -1, "num_threads": 1, "use_missing": False}
    grown = lightgbm.train(settings, data, 20).dump_model()["tree_info"]
    trees = from_lightgbm((1, tree["tree_structure"]) for tree in grown)
    predictor = TreesPredictor(trees, features=sum(sizes), outputs=2)
    model = build_model(constants, inputs, export_scores(predictor, *sizes), Decision(), {"model": "orders"})
    session = onnxruntime.InferenceSession(serialize(model))
    (got,) = session.run(["probabilities"], feed(table, inputs))
    expected = TrainingPath(constants, predictor).predict(table)["probabilities"]
    np.testing.assert_allclose(expected, got, rtol=0, atol=1e-6)
    assert np.ptp(got[:, 1]) > 0.5
