"""Weights that are split among processes: FSDP2 (https://pytorch.org/docs/stable/distributed.fsdp.fully_shard.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from tasks.models.spec import Network


def shard(networks: Iterable[nn.Module], mesh: DeviceMesh) -> None:
    """Split the parameters of networks, in place, so that each process keeps one part and gathers the rest for use."""
    for network in networks:
        fully_shard(network, mesh=mesh)
        # Parameters are gathered for `forward`; a network that is trained by a method of its own needs them there.
        if isinstance(network, Network) and type(network).training_scores is not Network.training_scores:
            register_fsdp_forward_method(network, "training_scores")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor with the parts of all processes, on the CPU; all of them have to ask."""
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).cpu()


def of_one_kind(
    first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]
) -> list[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Put pairs of split tensors and pairs of whole ones apart: no kernel takes both."""
    kinds: dict[bool, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
    for one, other in zip(first, second, strict=True):
        ones, others = kinds.setdefault(isinstance(one, DTensor), ([], []))
        ones.append(one)
        others.append(other)
    return list(kinds.values())
