"""What every trained model can do: preprocessed features in, scores out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.models.spec import Network, rows_at_once

Floats = NDArray[np.float64]


class Predictor(ABC):
    """A trained model of preprocessed features."""

    @abstractmethod
    def scores(self, *inputs: NDArray[Any]) -> Floats:
        """Score records.

        Args:
            inputs: For tables `numeric` float32 `[N, D]` and `categorical` int64 `[N, K]`.

        Returns:
            float64 `[N, O]`: the logit of each class or label, or the standardized number or its quantiles; see
            `tasks.preprocessing.targets`.
        """


class NetworkPredictor(Predictor):
    """A network in evaluation mode; how many threads it uses is the caller's to say."""

    def __init__(self, network: Network) -> None:
        self.network = network.eval()

    def scores(self, *inputs: NDArray[Any]) -> Floats:
        """Score records, as many at a time as `rows_at_once` says."""
        at_once = rows_at_once(sum(each.shape[1] for each in inputs))
        tensors = [torch.from_numpy(np.ascontiguousarray(each)) for each in inputs]
        with torch.inference_mode():
            scored = [
                self.network(*(each[start : start + at_once] for each in tensors)).double().numpy()
                for start in range(0, max(len(tensors[0]), 1), at_once)
            ]
        return np.concatenate(scored)
