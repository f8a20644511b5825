"""Every registered network goes through the same checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pydantic import TypeAdapter
from torch.nn import functional

from tasks.training.models.registry import NetworkConfig, build_network, network_names
from tasks.training.models.spec import CategoricalInput, FeatureSpec, NumericInput, TabularNetwork

EDGES = (-1.5, -0.5, 0.0, 0.25, 2.0)
MIXED = FeatureSpec(
    numeric=(NumericInput(name="a", edges=EDGES), NumericInput(name="b"), NumericInput(name="c", edges=EDGES[1:])),
    categorical=(CategoricalInput(name="k", cardinality=7), CategoricalInput(name="m", cardinality=3)),
    classes=2,
)
SPECS = {
    "mixed": MIXED,
    "numbers": MIXED.model_copy(update={"categorical": ()}),
    "categories": MIXED.model_copy(update={"numeric": ()}),
    "three classes": MIXED.model_copy(update={"classes": 3}),
}


def _build(name: str, spec: FeatureSpec = MIXED) -> TabularNetwork:
    torch.manual_seed(0)
    config: NetworkConfig = TypeAdapter(NetworkConfig).validate_python({"name": name})
    return build_network(config, spec)


def _batch(spec: FeatureSpec, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    codes = [torch.randint(0, item.cardinality, (rows,), generator=generator) for item in spec.categorical]
    categorical = torch.stack(codes, dim=1) if codes else torch.zeros(rows, 0, dtype=torch.int64)
    return torch.randn(rows, len(spec.numeric), generator=generator), categorical


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("name", network_names())
def test_logits_have_a_column_for_each_class_and_rows_do_not_mix(name: str, spec: FeatureSpec) -> None:
    network = _build(name, spec).eval()
    numeric, categorical = _batch(spec, 9)
    logits = network(numeric, categorical)
    assert logits.shape == (9, spec.classes)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(network(numeric[4:5], categorical[4:5]), logits[4:5])


@pytest.mark.parametrize("name", network_names())
def test_every_parameter_gets_a_gradient_and_a_small_problem_is_learned(name: str) -> None:
    network = _build(name).train()
    numeric, categorical = _batch(MIXED, 256)
    target = ((numeric[:, 1] + (categorical[:, 0] > 3)) > 0.5).long()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(numeric, categorical), target)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    lacking = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert lacking == []
    accuracy = (network.eval()(numeric, categorical).argmax(dim=1) == target).double().mean()
    assert accuracy > 0.85


@pytest.mark.parametrize("name", network_names())
def test_extreme_numbers_stay_finite(name: str) -> None:
    network = _build(name).eval()
    numeric, categorical = _batch(MIXED, 6)
    numeric[:3] = torch.tensor([[1e30], [-1e30], [1e-45]])
    assert torch.isfinite(network(numeric, categorical)).all()


@pytest.mark.parametrize("name", network_names())
def test_the_exported_graph_says_the_same(name: str, tmp_path: Path) -> None:
    network = _build(name).eval()
    program = torch.onnx.export(
        network,
        _batch(MIXED, 3),
        dynamo=True,
        opset_version=18,
        input_names=["numeric", "categorical"],
        dynamic_shapes=({0: torch.export.Dim("batch")}, {0: torch.export.Dim("batch")}),
        verbose=False,
    )
    assert program is not None
    path = tmp_path / "network.onnx"
    onnx.save(program.model_proto, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for rows in (1, 50):
        numeric, categorical = _batch(MIXED, rows)
        (answer,) = session.run(None, {"numeric": numeric.numpy(), "categorical": categorical.numpy()})
        np.testing.assert_allclose(answer, network(numeric, categorical).detach().numpy(), atol=2e-6)
