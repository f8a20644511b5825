"""Images for the parity certificate that nobody took: black, white, and noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from tasks.images.layout import pixel_column
from tasks.preprocessing.constants import ImageInput

# Noise says little about pictures, but it reaches every level of every pixel; the least and the greatest come first.
_IMAGES, _PIXELS = 2_000, 1 << 24
_AT_ONCE = 100
_SEED = 0


def generate_images(image: ImageInput) -> Iterator[pa.Table]:
    """Yield two thousand images, fewer where they are large, as a column by the name of the model's input."""
    random = np.random.default_rng(_SEED)
    count = max(3, min(_IMAGES, _PIXELS // (image.height * image.width)))
    for start in range(0, count, _AT_ONCE):
        pixels = random.integers(0, 256, (min(_AT_ONCE, count - start), *image.shape), dtype=np.uint8)
        if start == 0:
            pixels[:1], pixels[1:2] = 0, 255
        yield pa.table({image.column: pixel_column(pixels)})
