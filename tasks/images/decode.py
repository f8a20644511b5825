"""From an encoded image to pixels of one fixed shape, or the reason why not."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from serving.bundle.errors import RemoteError
from tasks.errors import DataError
from tasks.images.layout import Mode, Pixels
from tasks.images.records import Content, RefusedImageError

Resize = Literal["exact", "stretch", "crop", "pad"]
# 16-bit and float pixels are not offered: cut down to 8 bits they would silently become other pictures.
SourceMode = Literal["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
# A JPEG is decoded at an eighth, a quarter or half of its size where that is still this many times the wanted size.
_DRAFT = 2
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112


class ImageConfig(BaseModel):
    """What images become, and which are refused.

    Attributes:
        width: Of every image, in pixels.
        height: Of every image, in pixels.
        mode: `RGB`, or `L` for grey.
        resize: What happens to an image of another size: `exact` refuses it, `stretch` ignores its aspect, `crop`
            scales it to cover the frame and cuts what stands over, `pad` scales it into the frame and fills the rest.
        modes: Modes of pixels that are converted to `mode`; an image in any other is refused.
        background: Grey level, 0 to 255, behind transparent pixels and around padded images.
        min_side: The least width and height of a source image, in pixels.
        max_side: The most. Pillow's own limit against decompression bombs holds besides.
        max_bytes: The most bytes of an encoded image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: PositiveInt = Field(le=4096)
    height: PositiveInt = Field(le=4096)
    mode: Mode = "RGB"
    resize: Resize = "crop"
    modes: tuple[SourceMode, ...] = Field(default=("1", "L", "P", "RGB"), min_length=1)
    background: int = Field(default=255, ge=0, le=255)
    min_side: PositiveInt = 1
    max_side: PositiveInt = 8192
    max_bytes: PositiveInt = 64 << 20

    @model_validator(mode="after")
    def _agree(self) -> ImageConfig:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side {self.min_side} is above max_side {self.max_side}")
        if len(set(self.modes)) < len(self.modes):
            raise ValueError(f"modes: one is listed twice: {', '.join(self.modes)}")
        return self


def decode_image(content: Content, config: ImageConfig) -> Pixels:
    """Decode one image; its EXIF orientation is applied.

    Args:
        content: The encoded image, or pixels uint8 [H, W] or [H, W, 3].
        config: What it becomes.

    Returns:
        uint8 [H, W, C].

    Raises:
        RefusedImageError: The image is empty, no image, torn, animated, or of a size or mode that is refused.
        DataError: The file has gone, or may not be read.
    """
    if isinstance(content, np.ndarray):
        return _from_pixels(content, config)
    data = _read(content, config) if isinstance(content, Path) else content
    _require_bytes(len(data), config)
    with _refusing(), _open(data) as image:
        _require_acceptable(image.size, image.mode, config)
        _require_still(image)
        if image.format in {"JPEG", "MPO"} and config.resize != "exact":
            side = _DRAFT * max(config.width, config.height)
            image.draft(None, (side, side))
        return _fit(_convert(_upright(image), config), config)


def _read(path: Path, config: ImageConfig) -> bytes:
    if path.suffix.lower() not in SUFFIXES:
        raise RefusedImageError("image.unknown_extension", f"expected one of {', '.join(SUFFIXES)}")
    try:
        _require_bytes(path.stat().st_size, config)
        return path.read_bytes()
    except RemoteError:
        raise
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error}\n  do: put the file back, or give the right to read it, and run again"
        ) from error


def _require_bytes(size: int, config: ImageConfig) -> None:
    if not size:
        raise RefusedImageError("image.empty", "0 bytes")
    if size > config.max_bytes:
        raise RefusedImageError("image.too_many_bytes", f"{size:,} bytes, above max_bytes {config.max_bytes:,}")


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what Pillow raises on images that are wrong into the reason."""
    try:
        yield
    except RefusedImageError:
        raise
    except UnidentifiedImageError as error:
        raise RefusedImageError("image.unreadable", f"none of {', '.join(_FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise RefusedImageError("image.bomb", str(error)) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        rule = "image.truncated" if "truncat" in str(error).lower() else "image.corrupt"
        raise RefusedImageError(rule, str(error)) from error


def _open(data: bytes) -> Image.Image:
    if data.startswith(_PNG):
        _require_png_checksums(data)
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _require_png_checksums(data: bytes) -> None:
    # Decoding looks at no checksum of the pixels, so a flipped bit would pass. Pillow's own `verify` looks, and costs
    # more than decoding a small image; a file is chunks of length, name, content and checksum (PNG 3rd edition, 5.3).
    start, name = len(_PNG), b""
    while name != b"IEND":
        content = start + 8
        length, name = int.from_bytes(data[start : start + 4]), data[start + 4 : content]
        end = content + length
        checksum = data[end : end + 4]
        if len(checksum) < 4:
            raise RefusedImageError("image.truncated", f"ends within the PNG chunk at byte {start:,}")
        if zlib.crc32(memoryview(data)[start + 4 : end]) != int.from_bytes(checksum):
            raise RefusedImageError("image.corrupt", f"the PNG chunk {name!r} at byte {start:,} breaks its checksum")
        start = end + 4


def _upright(image: Image.Image) -> Image.Image:
    return image if image.getexif().get(_ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)


def _require_still(image: Image.Image) -> None:
    # A camera's JPEG may carry small copies of itself; its first frame is the photograph.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise RefusedImageError("image.animated", f"{image.format} of {getattr(image, 'n_frames', 'several')} frames")


def _require_acceptable(size: tuple[int, int], mode: str, config: ImageConfig) -> None:
    width, height = size
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise RefusedImageError("image.bomb", f"{width} x {height} pixels, above Pillow's {Image.MAX_IMAGE_PIXELS:,}")
    if min(size) < config.min_side:
        raise RefusedImageError("image.too_small", f"{width} x {height} pixels, min_side is {config.min_side}")
    if max(size) > config.max_side:
        raise RefusedImageError("image.too_large", f"{width} x {height} pixels, max_side is {config.max_side}")
    if mode not in config.modes:
        raise RefusedImageError("image.mode", f"{mode}, modes are {', '.join(config.modes)}")


def _convert(image: Image.Image, config: ImageConfig) -> Image.Image:
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, (config.background,) * 3 + (255,))
        behind.alpha_composite(image.convert("RGBA"))
        image = behind
    return image if image.mode == config.mode else image.convert(config.mode)


def _fit(image: Image.Image, config: ImageConfig) -> Pixels:
    """Bring an image of the wanted mode to the wanted size."""
    size = (config.width, config.height)
    if image.size != size:
        match config.resize:
            case "exact":
                raise RefusedImageError("image.size", f"{image.width} x {image.height}, expected {size[0]} x {size[1]}")
            case "stretch":
                image = image.resize(size, Image.Resampling.BILINEAR)
            case "crop":
                image = ImageOps.fit(image, size, Image.Resampling.BILINEAR)
            case "pad":
                image = _pad(image, size, config.background)
    return np.asarray(image, dtype=np.uint8).reshape(config.height, config.width, -1)


def _pad(image: Image.Image, size: tuple[int, int], background: int) -> Image.Image:
    scale = min(size[0] / image.width, size[1] / image.height)
    # However long and thin an image is, one row of it stays.
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    frame = Image.new(image.mode, size, (background,) * len(image.getbands()))
    frame.paste(image.resize(inner, Image.Resampling.BILINEAR), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return frame


def _from_pixels(pixels: NDArray[np.uint8], config: ImageConfig) -> Pixels:
    height, width = pixels.shape[:2]
    mode = "L" if pixels.ndim == 2 else "RGB"
    _require_acceptable((width, height), mode, config)
    if mode == config.mode and (width, height) == (config.width, config.height):
        return pixels.reshape(height, width, -1)
    return _fit(_convert(Image.fromarray(pixels), config), config)
