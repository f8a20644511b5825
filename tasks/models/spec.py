"""What a network must know about its features and its target, and what every network is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import nn

from tasks.preprocessing.constants import Preprocessing


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumericInput(_Frozen):
    """One column of the float32 matrix; `edges` ascend strictly and hold at least two values, or none at all."""

    name: str
    edges: tuple[float, ...] = ()


class CategoricalInput(_Frozen):
    """One column of the int64 matrix, with codes in `[0, cardinality)`."""

    name: str
    cardinality: PositiveInt


class FeatureSpec(_Frozen):
    """The inputs in the order of the matrices' columns, and the number of classes."""

    numeric: tuple[NumericInput, ...]
    categorical: tuple[CategoricalInput, ...]
    classes: int

    @classmethod
    def of(cls, preprocessing: Preprocessing) -> FeatureSpec:
        """Take from the fitted preprocessing what a network needs; repeated bin edges are merged."""
        return cls(
            numeric=tuple(
                NumericInput(name=feature.name, edges=_strictly_ascending(feature.edges))
                for feature in preprocessing.numeric
            ),
            categorical=tuple(
                CategoricalInput(name=feature.name, cardinality=feature.cardinality)
                for feature in preprocessing.categorical
            ),
            classes=len(preprocessing.target.classes),
        )


def _strictly_ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    distinct = tuple(sorted(set(edges)))
    return distinct if len(distinct) > 1 else ()


class TabularNetwork(nn.Module, ABC):
    """A network of preprocessed features. Its control flow never depends on data, so that it exports to ONNX."""

    @abstractmethod
    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch.

        Args:
            numeric: float32 `[N, D]`; `D` may be 0.
            categorical: int64 `[N, K]`; `K` may be 0.

        Returns:
            Logits, float32 `[N, C]`, with `C` the number of classes (2 for a binary target).
        """
