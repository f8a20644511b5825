"""The registry: which networks there are, by name. The README.md beside this file says how to add one."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tasks.errors import ConfigError
from tasks.training.models.linear import LinearConfig, build_linear
from tasks.training.models.mlp import MlpConfig, build_mlp
from tasks.training.models.mlp_ple import MlpPleConfig, build_mlp_ple
from tasks.training.models.spec import FeatureSpec, TabularNetwork

_BUILDERS: dict[str, tuple[type, Callable[[Any, FeatureSpec], TabularNetwork]]] = {
    "linear": (LinearConfig, build_linear),
    "mlp": (MlpConfig, build_mlp),
    "mlp-ple": (MlpPleConfig, build_mlp_ple),
}


def network_names() -> tuple[str, ...]:
    """Return every name that `network.name` may have."""
    return tuple(_BUILDERS)


def _known(value: object) -> object:
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", value)
    if name in _BUILDERS and not isinstance(value, str):
        return value
    near = difflib.get_close_matches(str(name), _BUILDERS, n=1, cutoff=0.4)
    raise ConfigError(
        f"network.name: expected one of {', '.join(_BUILDERS)}, got {name!r}\n  do: "
        + (f"write `name: {near[0]}`" if near else "write one of them")
    )


NetworkConfig = Annotated[
    Annotated[LinearConfig | MlpConfig | MlpPleConfig, Field(discriminator="name")], BeforeValidator(_known)
]


def build_network(config: NetworkConfig, spec: FeatureSpec) -> TabularNetwork:
    """Build a network with fresh weights, drawn from torch's global random state.

    Args:
        config: Any registered network's config.
        spec: What the network reads and how many classes it tells apart.
    """
    expected, build = _BUILDERS[config.name]
    assert isinstance(config, expected)
    return build(config, spec)
