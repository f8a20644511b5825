"""Every registered network goes through the same checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from pydantic import TypeAdapter
from torch.nn import functional

from tasks.export.network import export_network
from tasks.models.registry import NetworkConfig, build_network, network_names
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput, TabularNetwork

EDGES = (-1.5, -0.5, 0.0, 0.25, 2.0)
MIXED = FeatureSpec(
    numeric=(NumericInput(name="a", edges=EDGES), NumericInput(name="b"), NumericInput(name="c", edges=EDGES[1:])),
    categorical=(CategoricalInput(name="k", cardinality=7), CategoricalInput(name="m", cardinality=3)),
    outputs=2,
)
SPECS = {
    "mixed": MIXED,
    "numbers": MIXED.model_copy(update={"categorical": ()}),
    "categories": MIXED.model_copy(update={"numeric": ()}),
    "three classes": MIXED.model_copy(update={"outputs": 3}),
}
# One problem of each kind, and each number of scores.
KINDS = {
    "classes": MIXED.model_copy(update={"outputs": 3}),
    "labels": MIXED.model_copy(update={"outputs": 2, "kind": "labels"}),
    "number": MIXED.model_copy(update={"outputs": 1, "kind": "number"}),
}
# Small enough for many tests; a network that is not named here takes its defaults.
SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [16, 16], "dropout": 0.0, "embedding_dropout": 0.0},
    "mlp-ple": {"hidden": [16, 16], "numeric_width": 4, "dropout": 0.0, "embedding_dropout": 0.0},
    "tabm": {"hidden": [16], "members": 3, "numeric_width": 4, "dropout": 0.0},
    "ft-transformer": {"width": 8, "heads": 2, "blocks": 1, "dropout": 0.0, "attention_dropout": 0.0},
    "random-features": {"width": 32, "dropout": 0.0},
    "module": {"path": "tests.tasks.models.own_networks:TwoLayers"},
}


def _build(name: str, spec: FeatureSpec = MIXED) -> TabularNetwork:
    torch.manual_seed(0)
    config: NetworkConfig = TypeAdapter(NetworkConfig).validate_python({"name": name, **SMALL.get(name, {})})
    return build_network(config, spec)


def _batch(spec: FeatureSpec, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    codes = [torch.randint(0, item.cardinality, (rows,), generator=generator) for item in spec.categorical]
    categorical = torch.stack(codes, dim=1) if codes else torch.zeros(rows, 0, dtype=torch.int64)
    return torch.randn(rows, len(spec.numeric), generator=generator), categorical


def _truth(spec: FeatureSpec, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
    """A linear problem, so that even a linear network can learn it by heart."""
    value = numeric[:, 1] + 0.5 * (categorical[:, 0] > 3)
    if spec.kind == "number":
        return (value - value.mean()) / value.std()
    if spec.kind == "labels":
        return torch.stack([value > 0.2, numeric[:, 1] < 0], dim=1).float()
    return (value > 0.0).long() + (value > 0.8).long() * (spec.outputs > 2)


def _loss(spec: FeatureSpec, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    truth = truth.repeat_interleave(scores.shape[1], dim=0)
    scores = scores.flatten(0, 1)
    if spec.kind == "number":
        return functional.mse_loss(scores[:, 0], truth)
    if spec.kind == "labels":
        return functional.binary_cross_entropy_with_logits(scores, truth)
    return functional.cross_entropy(scores, truth)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("name", network_names())
def test_scores_have_a_column_for_each_output_and_rows_do_not_mix(name: str, spec: FeatureSpec) -> None:
    network = _build(name, spec).eval()
    numeric, categorical = _batch(spec, 9)
    scores = network(numeric, categorical)
    assert scores.shape == (9, spec.outputs)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(network(numeric[4:5], categorical[4:5]), scores[4:5])
    members = network.training_scores(numeric, categorical)
    assert members.shape == (9, members.shape[1], spec.outputs)


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("name", network_names())
def test_one_batch_is_learned_by_heart_and_every_parameter_gets_a_gradient(name: str, spec: FeatureSpec) -> None:
    network = _build(name, spec).train()
    inputs = _batch(spec, 40)
    truth = _truth(spec, *inputs)
    first = float(_loss(spec, network.training_scores(*inputs), truth))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.05, weight_decay=0.0)
    for _ in range(80):
        optimizer.zero_grad()
        loss = _loss(spec, network.training_scores(*inputs), truth)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    learned = {key: value for key, value in network.named_parameters() if value.requires_grad}
    lacking = [key for key, value in learned.items() if value.grad is None or not value.grad.any()]
    assert lacking == []
    assert float(_loss(spec, network.eval()(*inputs)[:, None], truth)) < 0.25 * first


@pytest.mark.parametrize("name", network_names())
def test_extreme_numbers_stay_finite(name: str) -> None:
    network = _build(name).eval()
    numeric, categorical = _batch(MIXED, 6)
    numeric[:3] = torch.tensor([[1e30], [-1e30], [1e-45]])
    assert torch.isfinite(network(numeric, categorical)).all()


@pytest.mark.parametrize(
    ("name", "spec"),
    [*((name, KINDS["classes"]) for name in network_names()), ("ft-transformer", SPECS["categories"])],
)
def test_the_exported_graph_says_the_same(name: str, spec: FeatureSpec) -> None:
    network = _build(name, spec).eval()
    model = export_network(network, len(spec.numeric), len(spec.categorical))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for rows in (1, 50):
        numeric, categorical = _batch(spec, rows)
        given = {"numeric": numeric.numpy(), "categorical": categorical.numpy()}
        (answer,) = session.run(None, {each.name: given[each.name] for each in session.get_inputs()})
        with torch.inference_mode():
            np.testing.assert_allclose(answer, network(numeric, categorical).numpy(), rtol=2e-6, atol=2e-6)
