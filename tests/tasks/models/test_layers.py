from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.models.layers import CategoricalEmbedding, PiecewiseLinearEmbedding, feature_dropout
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput
from tests.tasks.training.fixtures import constants

ascending = st.lists(st.integers(-40, 40), min_size=2, max_size=8, unique=True).map(
    lambda values: tuple(value / 8 for value in sorted(values))
)


def _shares(edges: tuple[float, ...], values: torch.Tensor) -> torch.Tensor:
    """The encoding itself: identity weights and no bias make the layer's output the shares."""
    layer = PiecewiseLinearEmbedding([NumericInput(name="x", edges=edges)], len(edges) - 1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(len(edges) - 1)[None])
        embedded: torch.Tensor = layer(values[:, None])
    return embedded[:, 0]


@settings(max_examples=80, deadline=None)
@given(edges=ascending, value=st.floats(-6, 6, width=32))
def test_shares_follow_the_definition(edges: tuple[float, ...], value: float) -> None:
    expected = [min(max((value - low) / (high - low), 0.0), 1.0) for low, high in itertools.pairwise(edges)]
    assert _shares(edges, torch.tensor([value]))[0].tolist() == pytest.approx(expected, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(edges=ascending)
def test_shares_never_fall_as_the_number_grows_and_end_at_one(edges: tuple[float, ...]) -> None:
    shares = _shares(edges, torch.linspace(-6, 6, 200))
    assert (shares.diff(dim=0) >= 0).all()
    assert (shares[0] == 0).all()
    assert (shares[-1] == 1).all()


def test_a_number_without_edges_passes_as_it_is() -> None:
    inputs = [NumericInput(name="flag"), NumericInput(name="x", edges=(0.0, 1.0, 2.0))]
    layer = PiecewiseLinearEmbedding(inputs, 1)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        assert layer(torch.tensor([[5.0, 1.5]]))[0, :, 0].tolist() == [5.0, 1.5]


def test_repeated_edges_are_merged_and_one_alone_is_none() -> None:
    fitted = constants()
    feature = fitted.numeric[0].model_copy(update={"edges": (1.0, 1.0, 2.0)})
    alone = fitted.numeric[1].model_copy(update={"edges": (3.0, 3.0)})
    spec = FeatureSpec.of(fitted.model_copy(update={"numeric": (feature, alone)}))
    assert [item.edges for item in spec.numeric] == [(1.0, 2.0), ()]
    assert spec.categorical == (CategoricalInput(name="c", cardinality=5),)


def test_dropout_takes_whole_features_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropped = feature_dropout(torch.ones(4000, 2, 3), 0.25)
    kept = dropped[..., 0] > 0
    assert torch.equal(kept[..., None].expand_as(dropped), dropped > 0)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(feature_dropout(dropped, 0.0), dropped)


def test_tables_are_no_wider_than_their_columns_need() -> None:
    inputs = [CategoricalInput(name="few", cardinality=4), CategoricalInput(name="many", cardinality=900)]
    embedding = CategoricalEmbedding(inputs, 16)
    assert [item.shape for item in embedding(torch.tensor([[3, 899]]))] == [(1, 2), (1, 16)]
    assert embedding.width == 18
