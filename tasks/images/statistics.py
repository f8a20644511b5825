"""Mean and deviation of each channel, exact: sums of whole numbers, whatever the partitions and their order."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import spox.opset.ai.onnx.v18 as op
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt
from spox import Var

from tasks.data.partitions import Partition, read_manifest
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.errors import DataError
from tasks.images.layout import ImageLayout, Pixels, read_layout, read_pixels
from tasks.references import DatasetRef, Reference, SplitRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json

CHANNELS = "channels.json"
_BLOCK = 1 << 18


class ChannelsRef(Reference):
    """Fitted statistics of the channels: `channels.json`."""


class ChannelStatistics(BaseModel):
    """Sums over the pixels of each channel; merging is exact, so it is associative and order-free.

    Attributes:
        count: Pixels of one channel.
        sums: Sum of each channel's values (0 to 255).
        squares: Sum of their squares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: NonNegativeInt
    sums: tuple[NonNegativeInt, ...]
    squares: tuple[NonNegativeInt, ...]

    @staticmethod
    def of(pixels: Pixels) -> ChannelStatistics:
        """Sum up images, uint8 [N, H, W, C]."""
        channels = pixels.shape[3]
        flat = pixels.reshape(-1, channels)
        sums, squares = np.zeros(channels), np.zeros(channels)
        for start in range(0, len(flat), _BLOCK):
            # float64 holds these sums exactly (2**53 is 10**11 white pixels), and its matrix products are the fastest.
            values = flat[start : start + _BLOCK].astype(np.float64)
            sums += np.ones(len(values)) @ values
            squares += np.diagonal(values.T @ values)
        return ChannelStatistics(
            count=len(flat), sums=tuple(int(each) for each in sums), squares=tuple(int(each) for each in squares)
        )

    def merge(self, other: ChannelStatistics) -> ChannelStatistics:
        """Return the statistics of both sets of images."""
        return ChannelStatistics(
            count=self.count + other.count,
            sums=tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            squares=tuple(a + b for a, b in zip(self.squares, other.squares, strict=True)),
        )

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel, in levels of 0 to 255."""
        return tuple(float(Fraction(each, self.count)) for each in self.sums)

    @property
    def std(self) -> tuple[float, ...]:
        """Deviation of each channel over all pixels, in levels; 1 for a constant channel, which is only centred."""
        variances = (
            Fraction(square * self.count - each * each, self.count * self.count)
            for each, square in zip(self.sums, self.squares, strict=True)
        )
        return tuple(math.sqrt(variance) or 1.0 for variance in variances)


def run_channel_statistics(images: DatasetRef, split: SplitRef, home: Path, dask: DaskConfig) -> ChannelsRef:
    """Fit the statistics of the channels on the training split alone.

    Raises:
        DataError: The training split has no image.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    layout = read_layout(images)
    partitions = list(enumerate(read_manifest(images).partitions))
    named = DigestName()
    with new_folder(home / "channels", named) as folder, open_client(dask) as client:
        work = partial(_measure, images=images, split=split, layout=layout)
        statistics = merge_partitions(client, work, partitions, ChannelStatistics.merge, label="measure channels")
        if not statistics.count:
            raise DataError("channel statistics: the training split has no image\n  do: give it a larger share")
        write_json(folder / CHANNELS, statistics.model_dump(mode="json"))
    return ChannelsRef(path=str(home / "channels" / named.digest), digest=named.digest)


def read_channels(channels: ChannelsRef) -> ChannelStatistics:
    """Read fitted statistics.

    Raises:
        IntegrityError: They are gone.
    """
    path = channels.folder / CHANNELS
    with naming_lost(path, "the statistics of the channels are"):
        return ChannelStatistics.model_validate_json(path.read_bytes())


def _measure(
    numbered: tuple[int, Partition], *, images: DatasetRef, split: SplitRef, layout: ImageLayout
) -> ChannelStatistics:
    index, partition = numbered
    chosen = read_codes(split, index) == SPLITS.index("train")
    return ChannelStatistics.of(read_pixels(images, partition, layout)[chosen])


def normalize(pixels: Pixels, statistics: ChannelStatistics) -> NDArray[np.float32]:
    """Centre and scale each channel: (value - mean) / std, in float32.

    Args:
        pixels: uint8 [N, H, W, C].
        statistics: Fitted on the training split.

    Returns:
        float32 [N, C, H, W].
    """
    mean, std = constants(statistics)
    values = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).astype(np.float32)
    return np.asarray((values - mean) / std)


def constants(statistics: ChannelStatistics) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and std as float32 [C, 1, 1], as every form of the normalisation uses them."""
    shape: Any = (-1, 1, 1)
    return (
        np.array(statistics.mean, dtype=np.float32).reshape(shape),
        np.array(statistics.std, dtype=np.float32).reshape(shape),
    )


def normalize_graph(pixels: Var, statistics: ChannelStatistics) -> Var:
    """Emit `normalize` as ONNX operators; the results are the same bits.

    Args:
        pixels: uint8 [batch, H, W, C].
        statistics: Fitted on the training split.

    Returns:
        float32 [batch, C, H, W].
    """
    mean, std = (op.const(each) for each in constants(statistics))
    values = op.cast(op.transpose(pixels, perm=[0, 3, 1, 2]), to=np.float32)
    return op.div(op.sub(values, mean), std)
