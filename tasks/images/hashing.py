"""Hashes of images: one of the very pixels, and two of what is to be seen, whose distance is small for like images.

The perceptual hashes are computed in whole numbers (float64 holds each sum exactly), so every machine finds the same
bits, and a bit never hangs on the order of a sum.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.images.layout import Pixels

Hashes = NDArray[np.uint64]
PerceptualHash = Literal["difference", "frequency"]

BITS = 64
# ITU-R BT.601 luma in thousandths, as Pillow converts colour to grey.
_LUMA = np.array([299, 587, 114], dtype=np.float64)
_BLOCK_BYTES = 1 << 20
_FREQUENCY_SIDE = 32
_COSINE_STEPS = 1 << 12


def hash_pixels(pixels: Pixels) -> list[str]:
    """Return the BLAKE2b hash of each image's pixels: 128 bits in hex.

    Args:
        pixels: uint8 [N, H, W, C]; images of one dataset have one shape, so the shape need not count.
    """
    flat = np.ascontiguousarray(pixels).reshape(len(pixels), math.prod(pixels.shape[1:]))
    return [hashlib.blake2b(row.data, digest_size=16).hexdigest() for row in flat]


def hash_perceptually(pixels: Pixels, kind: PerceptualHash) -> Hashes:
    """Return a 64-bit hash of each image, of which images that look alike share most bits.

    `difference` says of each of 8 x 8 places whether the grey rises to the right (dHash: Krawetz, "Kind of Like That",
    The Hacker Factor Blog, 2013). `frequency` says of the frequencies 1 to 8, both ways, of the cosine transform of
    32 x 32 greys whether each is above their median (pHash: Zauner, "Implementation and Benchmarking of Perceptual
    Image Hash Functions", 2010).

    Args:
        pixels: uint8 [N, H, W, C] with one or three channels.
        kind: Which hash.

    Returns:
        uint64 [N].
    """
    bits = _differences if kind == "difference" else _frequencies
    size = max(1, _BLOCK_BYTES // max(1, pixels[:1].nbytes))
    starts = range(0, len(pixels), size)
    packed = [np.packbits(bits(_grey(pixels[start : start + size])), axis=1) for start in starts]
    return np.asarray(np.concatenate([np.empty((0, 8), np.uint8), *packed]).view(">u8"), dtype=np.uint64).reshape(-1)


def distances(left: Hashes, right: Hashes) -> NDArray[np.uint8]:
    """Return how many bits differ between hashes, pair by pair."""
    return np.asarray(np.bitwise_count(left ^ right))


def _grey(pixels: Pixels) -> NDArray[np.float64]:
    """Return greys in thousandths of a level, whole numbers [N, H, W]."""
    if pixels.shape[3] == 1:
        return np.asarray(pixels[..., 0] * _LUMA.sum())
    grey: NDArray[np.float64] = pixels.astype(np.float64) @ _LUMA
    return grey


def _differences(grey: NDArray[np.float64]) -> NDArray[np.bool_]:
    small = _areas(grey, 8, 9)
    return np.asarray(small[:, :, 1:] > small[:, :, :-1]).reshape(len(grey), BITS)


def _frequencies(grey: NDArray[np.float64]) -> NDArray[np.bool_]:
    # An area's sum holds each thousandth of a level height x width times; a 16th of a level is fine enough, and keeps
    # every sum of the transform far below 2**53.
    level = _LUMA.sum() * grey.shape[1] * grey.shape[2]
    small = np.rint(_areas(grey, _FREQUENCY_SIDE, _FREQUENCY_SIDE) * (16 / level))
    spectrum = (_cosines() @ small @ _cosines().T).reshape(len(grey), BITS)
    return np.asarray(spectrum > np.median(spectrum, axis=1, keepdims=True))


def _areas(grey: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Return the sums of grey over `rows` x `columns` equal areas, each pixel counted by its overlap in whole units."""
    _, height, width = grey.shape
    sums: NDArray[np.float64] = _overlaps(height, rows) @ grey @ _overlaps(width, columns).T
    return sums


@lru_cache(maxsize=64)
def _overlaps(length: int, parts: int) -> NDArray[np.float64]:
    """Return how far each of `parts` equal stretches overlaps each of `length` pixels [parts, length].

    In units of one `parts`-th of a pixel every overlap is a whole number, and those of a stretch add up to `length`.
    """
    part, pixel = np.arange(parts)[:, None], np.arange(length)[None, :]
    ends = np.minimum((part + 1) * length, (pixel + 1) * parts)
    starts = np.maximum(part * length, pixel * parts)
    return np.asarray(np.maximum(ends - starts, 0), dtype=np.float64)


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """Return the frequencies 1 to 8 of the cosine transform (type II) in whole steps [8, 32]."""
    frequency, place = np.arange(1, 9)[:, None], np.arange(_FREQUENCY_SIDE)[None, :]
    angles = np.pi * frequency * (2 * place + 1) / (2 * _FREQUENCY_SIDE)
    return np.asarray(np.rint(np.cos(angles) * _COSINE_STEPS))
