"""A trained network of images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.models.predictor import Floats, Predictor
from tasks.models.spec import ImageNetwork


class ImagePredictor(Predictor):
    """A network in evaluation mode; how many threads it uses is the caller's to say."""

    def __init__(self, network: ImageNetwork) -> None:
        self.network = network.eval()

    def scores(self, *inputs: NDArray[Any]) -> Floats:
        """Score images, uint8 `[N, H, W, C]`, as many at a time as `ImageSpec.at_once` says."""
        (pixels,) = inputs
        at_once = self.network.spec.at_once
        with torch.inference_mode():
            scored = [
                self.network(torch.tensor(pixels[start : start + at_once])).double().numpy()
                for start in range(0, max(len(pixels), 1), at_once)
            ]
        return np.concatenate(scored)
