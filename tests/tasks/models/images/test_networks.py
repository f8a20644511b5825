"""Every registered network of images goes through the same checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch.nn import functional

from tasks.errors import ConfigError
from tasks.export.network import export_image_network
from tasks.models.config import ModelConfig, model_names, require_readable
from tasks.models.images.predictor import ImagePredictor
from tasks.models.images.registry import image_network_names
from tasks.models.registry import build_network
from tasks.models.spec import ImageNetwork, ImageSpec

GREY = ImageSpec(height=9, width=7, mean=(100.0,), deviation=(60.0,), outputs=3)
SPECS = {
    "grey": GREY,
    "colour": GREY.model_copy(update={"mean": (90.0, 100.0, 110.0), "deviation": (50.0, 60.0, 70.0), "outputs": 2}),
    "one pixel": GREY.model_copy(update={"height": 1, "width": 1}),
}
SMALL: dict[str, dict[str, Any]] = {"cnn": {"channels": [6, 8], "convolutions": 2}, "resnet": {"depth": 8, "width": 6}}


def config(name: str, **settings: Any) -> Any:
    return TypeAdapter(ModelConfig).validate_python({"name": name, **settings})


def build(name: str, spec: ImageSpec) -> ImageNetwork:
    torch.manual_seed(0)
    network = build_network(config(name, **SMALL[name]), spec)
    assert isinstance(network, ImageNetwork)
    return network


def batch(spec: ImageSpec, rows: int) -> torch.Tensor:
    shape = (rows, spec.height, spec.width, spec.channels)
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("name", image_network_names())
def test_scores_have_a_column_for_each_class_and_images_do_not_mix(name: str, spec: ImageSpec) -> None:
    network = build(name, spec).eval()
    images = batch(spec, 5)
    scores = network(images)
    assert scores.shape == (5, spec.outputs)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(network(images[2:3]), scores[2:3])
    assert network.training_scores(images).shape == (5, 1, spec.outputs)


@pytest.mark.parametrize("name", image_network_names())
def test_one_batch_is_learned_by_heart_and_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(name, GREY).train()
    images, truth = batch(GREY, 30), torch.arange(30) % 3
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.0)
    for _ in range(60):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), truth).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()] == []
    assert (network.eval()(images).argmax(dim=1) == truth).float().mean() > 0.95


@pytest.mark.parametrize("name", image_network_names())
def test_the_exported_graph_says_the_same(name: str) -> None:
    network = build(name, SPECS["colour"]).eval()
    session = onnxruntime.InferenceSession(export_image_network(network).SerializeToString())
    for rows in (1, 30):
        images = batch(SPECS["colour"], rows).numpy()
        images[:1] = 255
        (answer,) = session.run(None, {"image": images})
        np.testing.assert_allclose(answer, ImagePredictor(network).scores(images), rtol=1e-5, atol=1e-5)


def test_channels_are_centred_and_scaled() -> None:
    spec = SPECS["colour"]
    images = batch(spec, 4)
    values = build("cnn", spec).normalized(images)
    expected = (images.numpy() - np.array(spec.mean)) / np.array(spec.deviation)
    np.testing.assert_allclose(values.permute(0, 2, 3, 1).numpy(), expected, rtol=1e-6, atol=1e-6)


def test_a_predictor_gives_the_same_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = ImagePredictor(build("cnn", GREY))
    images = batch(GREY, 7).numpy()
    whole = predictor.scores(images)
    monkeypatch.setattr(ImageSpec, "at_once", 2)
    np.testing.assert_allclose(predictor.scores(images), whole, rtol=1e-6, atol=1e-6)
    assert predictor.scores(images[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "resnet", "depth": 18}, r"depth: expected 6n \+ 2, such as 8, 14, 20 or 26, got 18\n  do: write 20"),
        ({"name": "resnet", "width": 0}, "greater than 0"),
        ({"name": "cnn", "channels": []}, "at least 1 item"),
        ({"name": "cnn", "chanels": [3]}, "chanels"),
        ({"name": "cnnn"}, "write `name: cnn`"),
    ],
)
def test_what_is_wrong_with_a_config_is_said(given: dict[str, Any], message: str) -> None:
    with pytest.raises((ValidationError, ConfigError), match=message):
        config(**given)


def test_models_of_tables_are_refused_for_images_and_the_other_way_round() -> None:
    require_readable(config("cnn"), images=True)
    require_readable(config("mlp"), images=False)
    with pytest.raises(ConfigError, match=r"`mlp` reads tables, and this pipeline has images\n  do: write one of cnn"):
        require_readable(config("mlp"), images=True)
    for name in image_network_names():
        assert name in model_names()
        with pytest.raises(ConfigError, match=rf"`{name}` reads images, and this pipeline has a table\n  do: .*mlp"):
            require_readable(config(name), images=False)
