"""Integrated gradients of networks, with respect to numbers and to the embeddings of categories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from tasks.explanation.columns import Floats, Inputs
from tasks.models.spec import Network

# The path from the background to a row is walked in so many steps, each taken at its middle.
STEPS = 256


@dataclass(frozen=True)
class _Lookup:
    """One call of an embedding: the codes, `[N]` of one column or `[N, K]` of all, and the vectors behind them."""

    codes: torch.Tensor
    vectors: torch.Tensor


def integrated_gradients(network: Network, background: Inputs, rows: Inputs, weights: Floats) -> Floats | None:
    """Split the difference of scores between rows and the background among the features.

    After Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (ICML 2017): the gradient is integrated
    along the straight path from the background's mean number, and mean embedding of each category, to the row's own.
    What the features get adds up to the score of the row minus that of the path's beginning, but for the error of the
    integration.

    Args:
        network: In evaluation mode.
        background: Rows that stand for what is usual.
        rows: Rows to explain.
        weights: float64 `[N, O]`; the score explained is the sum of a row's scores by these weights.

    Returns:
        float64 `[N, 1 + D + K]`: the score at the path's beginning, then what each feature gets. None for a network
        whose categories do not all come through `nn.Embedding`, each in a call of its own or all in one.
    """
    numeric, categorical = (torch.from_numpy(np.ascontiguousarray(each)) for each in rows)
    usual = [torch.from_numpy(np.ascontiguousarray(each)) for each in background]
    with torch.no_grad():
        usual_lookups = _lookups(network, usual[0], usual[1])
        lookups = _lookups(network, numeric, categorical)
    if not _is_each_once(usual_lookups, usual[1]) or not _is_each_once(lookups, categorical):
        return None
    starts = [usual[0].mean(dim=0), *(each.vectors.mean(dim=0) for each in usual_lookups)]
    ends = [numeric, *(each.vectors for each in lookups)]
    found = []
    for place in range(len(numeric)):
        path = [(start, end[place]) for start, end in zip(starts, ends, strict=True)]
        wanted = torch.from_numpy(weights[place])
        found.append(_along(network, path, categorical[place], wanted))
    return np.stack(found)


def _along(
    network: Network,
    path: Sequence[tuple[torch.Tensor, torch.Tensor]],
    codes: torch.Tensor,
    weights: torch.Tensor,
) -> Floats:
    """Walk from the starts to the ends of the numbers and of the embeddings, for one row."""
    shares = (torch.arange(STEPS) + 0.5) / STEPS
    # The path's very beginning comes first, for the score there.
    shares = torch.cat([torch.zeros(1), shares])
    points = [(start + shares.reshape(-1, *[1] * start.dim()) * (end - start)).requires_grad_() for start, end in path]
    with _replaced(network, points[1:]):
        scores = network(points[0], codes.expand(len(shares), -1)).double() @ weights
    gradients = torch.autograd.grad(scores.sum(), points, allow_unused=True)
    shared = [
        torch.zeros_like(end, dtype=torch.float64)
        if gradient is None
        else gradient[1:].double().mean(dim=0) * (end - start).double()
        for gradient, (start, end) in zip(gradients, path, strict=True)
    ]
    # The vector of one embedding is one feature's, a matrix holds one for each.
    embedded = [each.sum(dim=-1).reshape(-1) for each in shared[1:]]
    parts = [scores[:1].detach(), shared[0], *embedded]
    return np.asarray(torch.cat(parts).detach().numpy())


def _lookups(network: Network, numeric: torch.Tensor, categorical: torch.Tensor) -> list[_Lookup]:
    seen: list[_Lookup] = []

    def keep(_: nn.Module, given: tuple[torch.Tensor], vectors: torch.Tensor) -> None:
        seen.append(_Lookup(given[0], vectors))

    with _hooked(network, keep):
        network(numeric, categorical)
    return seen


def _is_each_once(lookups: Sequence[_Lookup], categorical: torch.Tensor) -> bool:
    """Tell whether the columns are looked up each once and in their order; a table of all adds offsets to codes."""
    if not lookups:
        return categorical.shape[1] == 0
    codes = [each.codes if each.codes.dim() == 2 else each.codes[:, None] for each in lookups]
    together = torch.cat(codes, dim=1)
    if together.shape != categorical.shape:
        return False
    offsets = together - categorical
    return bool((offsets == offsets[:1]).all())


@contextmanager
def _replaced(network: Network, vectors: Sequence[torch.Tensor]) -> Iterator[None]:
    """Let embeddings give these vectors, in the order of their calls."""
    left = iter(vectors)
    with _hooked(network, lambda *_: next(left)):
        yield


@contextmanager
def _hooked(network: Network, hook: Callable[..., torch.Tensor | None]) -> Iterator[None]:
    tables = [module for module in network.modules() if isinstance(module, nn.Embedding)]
    handles = [table.register_forward_hook(hook) for table in tables]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
