from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.explanation.columns import ColumnFeatures
from tasks.explanation.examples import chosen_rows, explain_rows, score_weights
from tasks.models.blend import BlendPredictor
from tasks.models.ft_transformer import FtTransformerConfig
from tasks.models.linear import LinearConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.registry import build_network
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput, TabularNetwork
from tasks.models.tabm import TabmConfig
from tasks.models.tree_arrays import from_lightgbm
from tasks.models.trees import TreesPredictor, feature_table
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget

EDGES = (-2.0, -1.0, 0.0, 1.0, 2.0)
SPEC = FeatureSpec(
    numeric=tuple(NumericInput(name=name, edges=EDGES) for name in "xyz"),
    categorical=(CategoricalInput(name="c", cardinality=5), CategoricalInput(name="d", cardinality=7)),
    outputs=2,
)
COLUMNS = [ColumnFeatures("x", (0, 2), (1,)), ColumnFeatures("y", (1,), ()), ColumnFeatures("c", (), (0,))]
BINARY = ClassTarget(column="t", source="boolean", classes=(False, True))
MARGIN = np.tile([-1.0, 1.0], (4, 1))

Rows = tuple[NDArray[Any], NDArray[Any]]


def rows_of(count: int, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 3)).astype(np.float32), random.integers(0, 5, (count, 2))


BACKGROUND, ROWS = rows_of(64, 0), rows_of(4, 1)


def network_of(config: Any, spec: FeatureSpec = SPEC) -> NetworkPredictor:
    torch.manual_seed(3)
    network = build_network(config, spec)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return NetworkPredictor(network)


def grown() -> tuple[TreesPredictor, lightgbm.Booster, Rows]:
    """Trees, the booster that they are of, and the rows that it grew on."""
    numeric, categorical = rows_of(300, 2)
    target = (numeric[:, 0] * numeric[:, 1] + (categorical[:, 0] > 2) > 0).astype(int)
    table = np.concatenate([numeric, categorical], axis=1)
    options = {"objective": "binary", "num_leaves": 6, "verbose": -1, "num_threads": 1, "boost_from_average": False}
    booster = lightgbm.train(options, lightgbm.Dataset(table, target), 8)
    trees = from_lightgbm((1, each["tree_structure"]) for each in booster.dump_model()["tree_info"])
    return TreesPredictor(trees, features=5, outputs=2), booster, (numeric, categorical)


SMALL: dict[str, Any] = {
    "linear": LinearConfig(),
    "mlp": MlpConfig(hidden=(16,)),
    "mlp-ple": MlpPleConfig(hidden=(16,), numeric_width=4),
    "tabm": TabmConfig(hidden=(16,), members=2, numeric_width=4),
    "ft-transformer": FtTransformerConfig(width=8, heads=2, blocks=1),
}


@pytest.mark.parametrize("name", SMALL)
def test_integrated_gradients_add_up_to_the_score(name: str) -> None:
    predictor = network_of(SMALL[name])
    found = explain_rows(predictor, BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    assert found.method == "integrated gradients"
    score = (predictor.scores(*ROWS) * MARGIN).sum(axis=1)
    spread = np.abs(score - found.base).max()
    assert found.base + found.columns.sum(axis=1) == pytest.approx(score, abs=0.01 * spread)


def test_of_a_linear_model_a_number_gets_its_weight_times_its_distance_from_the_mean() -> None:
    predictor = network_of(LinearConfig())
    found = explain_rows(predictor, BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    weight = predictor.network.state_dict()["weight"].double().numpy() @ MARGIN[0]
    distance = ROWS[0][:, 1] - BACKGROUND[0][:, 1].mean()
    assert found.columns[:, 1] == pytest.approx(distance * weight[1], rel=1e-4)


def test_the_values_of_trees_add_up_exactly() -> None:
    predictor, _, _ = grown()
    found = explain_rows(predictor, BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    assert found.method == "TreeSHAP"
    assert found.base + found.columns.sum(axis=1) == pytest.approx(predictor.scores(*ROWS)[:, 1], abs=1e-12)


def test_with_the_training_rows_behind_them_they_are_nearly_those_of_lightgbm() -> None:
    """But for the one row more that each leaf counts for."""
    predictor, booster, learned = grown()
    table = feature_table(*ROWS)
    own = predictor.contributions(feature_table(*learned), table)[:, :, 1]
    assert own == pytest.approx(booster.predict(table, pred_contrib=True), abs=0.05)


def test_a_blend_is_sampled_and_adds_up_exactly() -> None:
    blend = BlendPredictor([grown()[0], network_of(LinearConfig())], [0.5, 0.5], BINARY)
    found = explain_rows(blend, BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    assert found.method == "sampled Shapley values"
    score = (blend.scores(*ROWS) * MARGIN).sum(axis=1)
    assert found.base + found.columns.sum(axis=1) == pytest.approx(score, abs=1e-9)
    again = explain_rows(blend, BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    assert (again.columns == found.columns).all()


def test_thousands_of_columns_are_sampled_a_part_at_a_time() -> None:
    """All steps of all orders at once would be half a gigabyte for one row."""
    wide, asked = 1100, []

    class Sum(Predictor):
        def scores(self, *inputs: NDArray[Any]) -> NDArray[np.float64]:
            asked.append(inputs[0].size)
            return inputs[0].astype(np.float64) @ np.linspace(0, 1, wide)[:, None]

    random = np.random.default_rng(0)
    background, row = (
        (random.normal(size=(rows, wide)).astype(np.float32), np.zeros((rows, 0), np.int64)) for rows in (3, 1)
    )
    columns = [ColumnFeatures(str(place), (place,), ()) for place in range(wide)]
    found = explain_rows(Sum(), background, row, np.ones((1, 1)), columns, seed=0)
    assert max(asked) <= 1 << 24
    assert found.base + found.columns.sum(axis=1) == pytest.approx(Sum().scores(*row)[:, 0], abs=1e-6)
    assert abs(found.columns[0, 0]) < 1e-9


class OneHot(TabularNetwork):
    """A network of somebody's own that looks nothing up."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(torch.cat([numeric, nn.functional.one_hot(categorical[:, 0], 5)], dim=1))
        return found


def test_a_network_without_embeddings_is_sampled() -> None:
    found = explain_rows(NetworkPredictor(OneHot()), BACKGROUND, ROWS, MARGIN, COLUMNS, seed=0)
    assert found.method == "sampled Shapley values"


def test_an_additive_model_gets_the_same_by_every_method() -> None:
    """With one row as the background there is nothing to average, and the effects of a sum are its terms."""
    one = rows_of(1, 5)
    predictor = network_of(LinearConfig())

    class Hidden(Predictor):
        def scores(self, *inputs: NDArray[Any]) -> NDArray[np.float64]:
            return predictor.scores(*inputs)

    by_gradient, by_sample = (explain_rows(each, one, ROWS, MARGIN, COLUMNS, seed=0) for each in (predictor, Hidden()))
    assert by_gradient.columns == pytest.approx(by_sample.columns, abs=1e-4)
    assert by_gradient.base == pytest.approx(by_sample.base, abs=1e-4)


def test_the_worst_rows_and_others_are_chosen() -> None:
    losses = np.array([0.1, 5.0, 0.2, 3.0, 0.3, 4.0])
    chosen = chosen_rows(losses, 5, np.random.default_rng(0))
    assert chosen[:3] == [(1, "greatest loss"), (5, "greatest loss"), (3, "greatest loss")]
    assert {row for row, why in chosen if why == "random"} < {0, 2, 4}
    assert len(chosen_rows(losses, 99, np.random.default_rng(0))) == 6


def test_which_score_is_explained() -> None:
    scores = np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 0.0]])
    several = ClassTarget(column="t", source="string", classes=("a", "b", "c"))
    weights, names = score_weights(several, np.array([0, 0]), scores)
    assert names == ["score of b above the mean of all classes", "score of a above the mean of all classes"]
    assert (weights * scores).sum(axis=1) == pytest.approx([3 - 4 / 3, 2 - 2 / 3])
    labels = LabelsTarget(labels=("p", "q", "r"))
    _, names = score_weights(labels, np.array([[True, False, True], [True, True, True]]), scores)
    assert names == ["log odds of q", "log odds of q"]
    delay = NumberTarget(column="delay", source="number", center=1.0, spread=4.0, quantiles=(0.1, 0.5, 0.9))
    weights, names = score_weights(delay, np.zeros(2), scores)
    assert names[0] == "quantile 0.5 of delay"
    assert (weights * scores).sum(axis=1).tolist() == [12.0, 0.0]
