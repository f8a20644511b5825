"""The registry of networks for images, beside that of networks for tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from tasks.models.images.cnn import CnnConfig, build_cnn
from tasks.models.images.resnet import ResnetConfig, build_resnet
from tasks.models.spec import ImageNetwork, ImageSpec

_BUILDERS: dict[str, tuple[type, Callable[[Any, ImageSpec], ImageNetwork]]] = {
    "cnn": (CnnConfig, build_cnn),
    "resnet": (ResnetConfig, build_resnet),
}


def image_network_names() -> tuple[str, ...]:
    """Return the name of every network for images."""
    return tuple(_BUILDERS)


ImageNetworkConfig = Annotated[CnnConfig | ResnetConfig, Field(discriminator="name")]


def build_image_network(config: ImageNetworkConfig, spec: ImageSpec) -> ImageNetwork:
    """Build a network with fresh weights, drawn from torch's global random state.

    Args:
        config: Any registered network's config.
        spec: The images, and how many scores each gets.
    """
    expected, build = _BUILDERS[config.name]
    assert isinstance(config, expected)
    return build(config, spec)
