"""What the processes of one training tell each other; in a training of one process every function is a no-op.

Only tensors travel, so nothing is unpickled.
"""

from __future__ import annotations

import torch
import torch.distributed as dist


def several() -> bool:
    """Say whether this process trains together with others."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def is_first() -> bool:
    """Say whether this is the only process, or the first of several."""
    return not several() or dist.get_rank() == 0


def become_mean(tensors: list[torch.Tensor]) -> None:
    """Replace float tensors, in place, by their mean over all processes."""
    if not several() or not tensors:
        return
    flat = torch.cat([each.detach().flatten() for each in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    means = torch.split(flat, [each.numel() for each in tensors])
    for each, mean in zip(tensors, means, strict=True):
        each.detach().copy_(mean.view_as(each))


def gathered(rows: torch.Tensor) -> torch.Tensor:
    """Return the rows of all processes, the first process's first, on the CPU.

    Args:
        rows: `[N, ...]`, with the same `N` in every process.
    """
    if not several():
        return rows
    mine = rows.to(_device())
    parts = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, mine)
    return torch.cat(parts).cpu()


def said_by_first(values: list[float]) -> list[float]:
    """Return what the first process says, in all of them: their own sums may differ in the last bits, or clocks."""
    if not several():
        return values
    said = torch.tensor(values, dtype=torch.float64, device=_device())
    dist.broadcast(said, src=0)
    return [float(each) for each in said]


def _device() -> torch.device:
    # NCCL carries nothing that is not on a GPU.
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
