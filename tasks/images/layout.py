"""Images on disk: a dataset whose partitions hold pixels of one fixed shape, and `images.json` that names the shape.

Pixels stand in a `fixed_size_binary` column. It reads as one contiguous buffer, so a partition is a NumPy array without
a copy; a list column of uint8 holds the same bytes but takes five times the time to read and to write.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveInt

from tasks.data.partitions import Partition, read_partition
from tasks.errors import IntegrityError
from tasks.preprocessing.columns import one_array
from tasks.references import DatasetRef
from tasks.storage import naming_lost, write_json

Pixels = NDArray[np.uint8]
Mode = Literal["RGB", "L"]

LAYOUT = "images.json"
# The column of pixels, which is a model's input too, and the name of what is predicted.
IMAGE, CLASS = "image", "class"
# What a partition's pixels may take in memory, and the most images that share one, so that small images still make
# enough partitions for every thread.
PARTITION_BYTES = 16 << 20
PARTITION_IMAGES = 8192


def channels_of(mode: Mode) -> int:
    """Return how many values a pixel has."""
    return 3 if mode == "RGB" else 1


class ImageLayout(BaseModel):
    """The shape of every image of a dataset, and what its labels mean.

    Attributes:
        width: Pixels of a row.
        height: Rows.
        mode: `RGB` has three channels, `L` (grey) one.
        classes: Name of each class; a label is a position here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: PositiveInt
    height: PositiveInt
    mode: Mode
    classes: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Channels of a pixel."""
        return channels_of(self.mode)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.height, self.width, self.channels

    @property
    def bytes_per_image(self) -> int:
        """Bytes of one image's pixels."""
        return self.height * self.width * self.channels

    @property
    def images_per_partition(self) -> int:
        """Images of a full partition."""
        return max(1, min(PARTITION_IMAGES, PARTITION_BYTES // self.bytes_per_image))

    @property
    def schema(self) -> pa.Schema:
        """Columns of a dataset of images.

        `label` is the class's position; `content` the hash of the pixels in hex; `group` what the source says belongs
        together, or null; `source_file` and the 1-based `source_row` in it say where the image came from.
        """
        return pa.schema(
            [
                (IMAGE, pa.binary(self.bytes_per_image)),
                ("label", pa.int32()),
                ("content", pa.string()),
                ("group", pa.string()),
                ("source_file", pa.string()),
                ("source_row", pa.int64()),
            ]
        )


def write_layout(folder: Path, layout: ImageLayout) -> None:
    """Write the layout beside a dataset's manifest."""
    write_json(folder / LAYOUT, layout.model_dump(mode="json"))


def read_layout(dataset: DatasetRef) -> ImageLayout:
    """Read the layout of a dataset of images.

    Raises:
        IntegrityError: The file is gone: the dataset was removed, or holds no images.
    """
    path = dataset.folder / LAYOUT
    with naming_lost(path, "the layout of the images is"):
        return ImageLayout.model_validate_json(path.read_bytes())


def pixel_column(pixels: Pixels) -> pa.Array:
    """Return images as a column, without a copy where they are contiguous.

    Args:
        pixels: uint8 [N, H, W, C].
    """
    flat = np.ascontiguousarray(pixels).reshape(len(pixels), math.prod(pixels.shape[1:]))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(flat.shape[1]), len(flat), [None, pa.py_buffer(flat)])


def pixels_of(column: pa.ChunkedArray | pa.Array, shape: tuple[int, int, int]) -> Pixels:
    """Return a column of images as a read-only array, without a copy.

    Args:
        column: Pixels as `pixel_column` makes them.
        shape: Height, width and channels.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        IntegrityError: The column is not of this shape.
    """
    array, size = one_array(column), math.prod(shape)
    if array.type != pa.binary(size):
        raise IntegrityError(
            f"column of images: expected {size} bytes per image for {shape}, got {array.type}\n"
            "  do: remove the dataset's folder and run again"
        )
    data = array.buffers()[1] if len(array) else b""
    flat = np.frombuffer(data, dtype=np.uint8)[array.offset * size : (array.offset + len(array)) * size]
    return flat.reshape(len(array), *shape)


def read_pixels(dataset: DatasetRef, partition: Partition, layout: ImageLayout) -> Pixels:
    """Read the images of one partition: uint8 [N, H, W, C], read-only."""
    return pixels_of(read_partition(dataset.folder, partition, [IMAGE])[IMAGE], layout.shape)
