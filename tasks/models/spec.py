"""What a network must know about its features and its target, and what every network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from torch import nn

from tasks.preprocessing.constants import Preprocessing

_PIXELS_AT_ONCE = 1 << 18
_ROWS_AT_ONCE = 1 << 13
_VALUES_AT_ONCE = 1 << 20


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
    """The inputs in the order of the matrices' columns, how many scores a record gets, and of what kind.

    Attributes:
        numeric: Columns of the float32 matrix.
        categorical: Columns of the int64 matrix.
        outputs: Scores of a record.
        kind: What the scores are: the logits of classes that exclude each other, the logits of labels that do not,
            or standardized numbers.
    """

    numeric: tuple[NumericInput, ...]
    categorical: tuple[CategoricalInput, ...]
    outputs: PositiveInt
    kind: Literal["classes", "labels", "number"] = "classes"

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
            outputs=preprocessing.target.outputs,
            kind=preprocessing.target.kind,
        )

    @property
    def at_once(self) -> int:
        """How many rows are scored together."""
        return rows_at_once(len(self.numeric) + len(self.categorical))


class ImageSpec(_Frozen):
    """Images of one shape, what centres and scales their channels, and how many scores a record gets."""

    height: PositiveInt
    width: PositiveInt
    mean: tuple[float, ...]
    deviation: tuple[PositiveFloat, ...]
    outputs: PositiveInt

    @property
    def channels(self) -> int:
        """Channels of a pixel."""
        return len(self.mean)

    @property
    def at_once(self) -> int:
        """How many images are scored together."""
        return images_at_once(self.height * self.width)


def rows_at_once(features: int) -> int:
    """Return how many rows of so many features are scored together: as many as a network holds in some 100 MB."""
    return max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // max(1, features)))


def images_at_once(pixels: int) -> int:
    """Return how many images of so many pixels are scored together, so that a network holds some tens of megabytes."""
    return max(1, min(1024, _PIXELS_AT_ONCE // pixels))


def spec_of(preprocessing: Preprocessing) -> FeatureSpec | ImageSpec:
    """Take from the fitted preprocessing what a model reads, a table's features or images."""
    image = preprocessing.image
    if image is None:
        return FeatureSpec.of(preprocessing)
    return ImageSpec(
        height=image.height,
        width=image.width,
        mean=image.mean,
        deviation=image.deviation,
        outputs=preprocessing.target.outputs,
    )


def _strictly_ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    distinct = tuple(sorted(set(edges)))
    return distinct if len(distinct) > 1 else ()


class Network(nn.Module, ABC):
    """A network whose control flow never depends on data, so that it exports to ONNX."""

    def training_scores(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Score a batch for the training loss, which is the mean of the losses of the network's members.

        A network is one member. An ensemble that shares weights overrides this: its members learn apart, each by its
        own loss, while `forward` gives what they say together.

        Args:
            inputs: What `forward` takes.

        Returns:
            Scores, float32 `[N, M, O]`, of each of `M` members.
        """
        scores: torch.Tensor = self(*inputs)
        return scores[:, None]


class TabularNetwork(Network):
    """A network of preprocessed features."""

    @abstractmethod
    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        """Score a batch.

        Args:
            numeric: float32 `[N, D]`; `D` may be 0.
            categorical: int64 `[N, K]`; `K` may be 0.

        Returns:
            Scores, float32 `[N, O]`: the logit of each class (of both where there are two) or label, or the
            standardized number or its quantiles; see `tasks.preprocessing.targets`.
        """


class ImageNetwork(Network):
    """A network of images."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, spec: ImageSpec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("mean", torch.tensor(spec.mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(spec.deviation)[:, None, None])

    @abstractmethod
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Score a batch.

        Args:
            image: uint8 `[N, H, W, C]`.

        Returns:
            Scores, float32 `[N, O]`; see `TabularNetwork.forward`.
        """

    def normalized(self, image: torch.Tensor) -> torch.Tensor:
        """Centre and scale the channels.

        Returns:
            float32 `[N, C, H, W]` with the channels last in memory, which makes convolutions on the CPU half as fast
            again.
        """
        values = image.permute(0, 3, 1, 2).to(self.mean.dtype)
        return ((values - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
