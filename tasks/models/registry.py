"""The registry: which networks there are, by name. The README.md beside this file says how to add one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast, overload

from pydantic import Field

from tasks.models.ft_transformer import FtTransformerConfig, build_ft_transformer
from tasks.models.images.registry import ImageNetworkConfig, build_image_network
from tasks.models.linear import LinearConfig, build_linear
from tasks.models.mlp import MlpConfig, build_mlp
from tasks.models.mlp_ple import MlpPleConfig, build_mlp_ple
from tasks.models.module import ModuleConfig, build_module
from tasks.models.random_features import RandomFeaturesConfig, build_random_features
from tasks.models.spec import FeatureSpec, ImageSpec, Network, TabularNetwork
from tasks.models.tabm import TabmConfig, build_tabm

_BUILDERS: dict[str, tuple[type, Callable[[Any, FeatureSpec], TabularNetwork]]] = {
    "linear": (LinearConfig, build_linear),
    "mlp": (MlpConfig, build_mlp),
    "mlp-ple": (MlpPleConfig, build_mlp_ple),
    "tabm": (TabmConfig, build_tabm),
    "ft-transformer": (FtTransformerConfig, build_ft_transformer),
    "random-features": (RandomFeaturesConfig, build_random_features),
    "module": (ModuleConfig, build_module),
}


def network_names() -> tuple[str, ...]:
    """Return the name of every network for tables; `module` is the user's own."""
    return tuple(_BUILDERS)


NetworkConfig = Annotated[
    LinearConfig | MlpConfig | MlpPleConfig | TabmConfig | FtTransformerConfig | RandomFeaturesConfig | ModuleConfig,
    Field(discriminator="name"),
]


@overload
def build_network(config: NetworkConfig, spec: FeatureSpec) -> TabularNetwork: ...


@overload
def build_network(config: NetworkConfig | ImageNetworkConfig, spec: FeatureSpec | ImageSpec) -> Network: ...


def build_network(config: NetworkConfig | ImageNetworkConfig, spec: FeatureSpec | ImageSpec) -> Network:
    """Build a network with fresh weights, drawn from torch's global random state.

    Args:
        config: Any registered network's config, of a kind that fits what is read.
        spec: What the network reads, and how many scores it gives.

    Raises:
        ConfigError: A network of the user's own does not meet its contract.
        IntegrityError: Its code is not the code that the config names.
    """
    if isinstance(spec, ImageSpec):
        return build_image_network(cast("ImageNetworkConfig", config), spec)
    expected, build = _BUILDERS[config.name]
    assert isinstance(config, expected)
    return build(config, spec)
