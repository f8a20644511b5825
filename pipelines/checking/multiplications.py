"""How many multiplications a network makes of one row or image on its way forwards, about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from tasks.images.decode import ImageConfig
from tasks.images.layout import channels_of
from tasks.models.ft_transformer import FtTransformerConfig
from tasks.models.images.cnn import CnnConfig
from tasks.models.images.registry import ImageNetworkConfig
from tasks.models.images.resnet import ResnetConfig
from tasks.models.mlp import MlpConfig
from tasks.models.mlp_ple import MlpPleConfig
from tasks.models.random_features import RandomFeaturesConfig
from tasks.models.tabm import TabmConfig

# What these cost beside products, in multiplications: a cosine with its derivative, and a weight of attention.
_COSINE, _ATTENTION = 130, 80


@dataclass(frozen=True)
class Features:
    """What a network of a table reads: how many numbers and categories, bins of a number, and scores it gives."""

    numbers: int
    categories: int
    bins: int
    outputs: int


def of_a_row(model: Any, features: Features) -> float | None:
    """Return about how many multiplications a row takes; None of a network that is not Headrace's own.

    Args:
        model: A network's config.
        features: What it reads.
    """
    counted = _COUNTED.get(model.name)
    return None if counted is None else counted(model, features)


def _perceptron(inputs: float, hidden: Sequence[int], outputs: int) -> float:
    return sum(before * after for before, after in pairwise((inputs, *hidden, outputs)))


def _linear(_: Any, features: Features) -> float:
    return (features.numbers + features.categories) * features.outputs


def _mlp(model: MlpConfig, features: Features) -> float:
    inputs = features.numbers + features.categories * model.categorical_width
    return _perceptron(inputs, model.hidden, features.outputs)


def _embedded(model: MlpPleConfig | TabmConfig, features: Features, members: int) -> float:
    inputs = features.numbers * max(1, model.numeric_width) + features.categories * model.categorical_width
    embedding = features.numbers * features.bins * model.numeric_width
    return embedding + members * _perceptron(inputs, model.hidden, features.outputs)


def _ft_transformer(model: FtTransformerConfig, features: Features) -> float:
    width, tokens = model.width, 1 + features.numbers + features.categories
    # Query, key, value and output; the perceptron's three halves; and each token's look at each other one.
    of_a_token = width * width * (4 + 3 * model.hidden) + tokens * (2 * width + _ATTENTION * model.heads)
    # The last block changes one token alone, and reads keys and values of all.
    last = 2 * width * width * tokens
    return features.numbers * features.bins * width + (model.blocks - 1) * tokens * of_a_token + last


def _random_features(model: RandomFeaturesConfig, features: Features) -> float:
    return model.width * (features.numbers + features.outputs + _COSINE)


_COUNTED: Mapping[str, Callable[[Any, Features], float]] = {
    "linear": _linear,
    "mlp": _mlp,
    "mlp-ple": lambda model, features: _embedded(model, features, 1),
    "tabm": lambda model, features: _embedded(model, features, model.members),
    "ft-transformer": _ft_transformer,
    "random-features": _random_features,
}


def of_an_image(model: ImageNetworkConfig, image: ImageConfig, classes: int) -> tuple[float, float]:
    """Return about how many multiplications an image takes, and how many values its convolutions make.

    Args:
        model: The network's config.
        image: What it reads.
        classes: How many there are.
    """
    layers = list(_cnn(model, image) if isinstance(model, CnnConfig) else _resnet(model, image))
    last = layers[-1]
    read = last.outputs * (last.places if isinstance(model, CnnConfig) else 1)
    counted = sum(layer.places * layer.inputs * layer.outputs * layer.kernel**2 for layer in layers)
    return counted + read * classes, sum(layer.places * layer.outputs for layer in layers)


class _Convolution(NamedTuple):
    places: int
    inputs: int
    outputs: int
    kernel: int


def _cnn(model: CnnConfig, image: ImageConfig) -> Iterator[_Convolution]:
    inputs, height, width = channels_of(image.mode), image.height, image.width
    for channels in model.channels:
        height, width = (height + 1) // 2, (width + 1) // 2
        for _ in range(model.convolutions):
            yield _Convolution(height * width, inputs, channels, 3)
            inputs = channels


def _resnet(model: ResnetConfig, image: ImageConfig) -> Iterator[_Convolution]:
    inputs, height, width = model.width, image.height, image.width
    yield _Convolution(height * width, channels_of(image.mode), inputs, 3)
    for stage in range(3):
        channels = model.width << stage
        if stage:
            height, width = (height + 1) // 2, (width + 1) // 2
            yield _Convolution(height * width, inputs, channels, 1)
        for _ in range((model.depth - 2) // 6):
            yield _Convolution(height * width, inputs, channels, 3)
            yield _Convolution(height * width, channels, channels, 3)
            inputs = channels
