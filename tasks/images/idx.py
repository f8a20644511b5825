"""Images in pairs of IDX files, the format of MNIST (LeCun, Cortes and Burges, "The MNIST database", 1998).

A file is a magic number (two zero bytes, the type of the values, the number of dimensions), the dimensions as
big-endian 32-bit integers, then the values row by row.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from serving.bundle.errors import RemoteError
from tasks.errors import DataError
from tasks.images.places import GroupRule, files_below
from tasks.images.records import FoundImages, ImageRecord
from tasks.storage import place

_UNSIGNED_BYTE = 0x08
_BLOCK = 1024
_NAME = re.compile(r"^(?P<pair>.*?)[-._]?images[-._]idx[34][-._]ubyte(\.gz)?$")


@dataclass(frozen=True)
class IdxPiece:
    """Images `start` to `stop` of a pair of files; `shape` is that of the whole file of images."""

    names: tuple[str, str]
    paths: tuple[str, str]
    shape: tuple[int, ...]
    start: int
    stop: int
    group: str | None

    def records(self) -> Iterator[ImageRecord]:
        """Yield the images, a block of them in memory at a time.

        Raises:
            DataError: A file is torn.
        """
        images, labels = (place(path) for path in self.paths)
        size = int(np.prod(self.shape[1:]))
        classes = _read_labels(labels, self.names[1], self.shape[0])[self.start : self.stop].tolist()
        with _opened(images, self.names[0]) as file:
            file.seek(4 + 4 * len(self.shape) + self.start * size)
            for first in range(self.start, self.stop, _BLOCK):
                count = min(_BLOCK, self.stop - first)
                block = _read_exactly(file, count * size, self.names[0]).reshape(count, *self.shape[1:])
                for offset, pixels in enumerate(block):
                    row = first + offset
                    yield ImageRecord(self.names[0], row + 1, classes[row - self.start], self.group, pixels)
            if self.stop == self.shape[0]:
                _require_end(file, self.names[0])


def find_idx(path: str, group: GroupRule, images_per_piece: int) -> FoundImages:
    """Find every pair of IDX files below a folder.

    A gzipped file cannot be entered in its middle, so each is one piece.

    Raises:
        DataError: No pair is there, a file lacks its other half, or is no IDX file of the expected kind and length.
    """
    root, files = files_below(path)
    pieces: list[IdxPiece] = []
    found: set[int] = set()
    for images in files:
        named = _NAME.match(images.name)
        if named is None:
            continue
        labels = _labels_beside(images)
        names = (images.relative_to(root).as_posix(), labels.relative_to(root).as_posix())
        shape = _image_shape(images, names[0])
        found |= set(np.unique(_read_labels(labels, names[1], shape[0])).tolist())
        said = group.of(names[0]) if group.pattern is not None else named["pair"] or None
        step = max(1, shape[0]) if images.suffix == ".gz" else images_per_piece
        pieces += [
            IdxPiece(names, (str(images), str(labels)), shape, start, min(start + step, shape[0]), said)
            for start in range(0, shape[0], step)
        ]
    if not pieces:
        raise DataError(
            f"source {path}: no images are there; looked for names such as `train-images-idx3-ubyte.gz`\n"
            "  do: mend `source.path`, which must be the folder that holds the files"
        )
    return FoundImages(tuple(pieces), tuple(str(label) for label in sorted(found)))


def _labels_beside(images: Path) -> Path:
    name = re.sub(r"images([-._])idx[34]", r"labels\1idx1", images.name)
    stem = name.removesuffix(".gz")
    there = [images.with_name(each) for each in (name, stem, f"{stem}.gz") if images.with_name(each).is_file()]
    if not there:
        raise DataError(f"{images.name}: its labels, `{name}`, are not beside it\n  do: put the file there")
    return there[0]


def _opened(path: Path, name: str) -> IO[bytes]:
    try:
        file = path.open("rb")
    except RemoteError:
        raise
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error}\n  do: put the file back and run again") from error
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file


def _header(file: IO[bytes], name: str, dimensions: tuple[int, ...]) -> tuple[int, ...]:
    magic = _read_exactly(file, 4, name).tolist()
    if magic[:2] != [0, 0] or magic[2] != _UNSIGNED_BYTE or magic[3] not in dimensions:
        wanted = " or ".join(f"0000 08{each:02x}" for each in dimensions)
        raise DataError(
            f"{name}: magic number {bytes(magic).hex(' ', 2)}, expected {wanted} (unsigned bytes in "
            f"{' or '.join(map(str, dimensions))} dimensions)\n  do: look whether images and labels were exchanged"
        )
    sizes = _read_exactly(file, 4 * magic[3], name).view(">u4")
    return tuple(int(each) for each in sizes)


def _image_shape(path: Path, name: str) -> tuple[int, ...]:
    with _opened(path, name) as file:
        shape = _header(file, name, (3, 4))
    if len(shape) == 4 and shape[3] != 3:
        raise DataError(f"{name}: images of shape {shape[1:]}; expected height x width, with 3 channels or none")
    if not min(shape[1:]):
        raise DataError(f"{name}: images of {shape[1]} x {shape[2]} pixels\n  do: write the file again")
    expected = 4 + 4 * len(shape) + int(np.prod(shape, dtype=np.int64))
    if path.suffix != ".gz" and path.stat().st_size != expected:
        raise DataError(
            f"{name}: {path.stat().st_size:,} bytes, expected {expected:,} for {shape[0]:,} images of "
            f"{shape[1]} x {shape[2]}\n  do: copy the file again; one that was cut off looks like this"
        )
    return shape


def _read_labels(path: Path, name: str, images: int) -> NDArray[np.uint8]:
    with _opened(path, name) as file:
        (count,) = _header(file, name, (1,))
        if count != images:
            raise DataError(
                f"{name}: {count:,} labels for {images:,} images\n  do: pair the files that belong together"
            )
        labels = _read_exactly(file, count, name)
        _require_end(file, name)
    return labels


def _read_exactly(file: IO[bytes], size: int, name: str) -> NDArray[np.uint8]:
    try:
        data = file.read(size)
    except RemoteError:
        raise
    except (EOFError, OSError, zlib.error) as error:
        raise _torn(name, str(error)) from error
    if len(data) != size:
        raise _torn(name, f"it ends {size - len(data):,} bytes too early")
    return np.frombuffer(data, dtype=np.uint8)


def _require_end(file: IO[bytes], name: str) -> None:
    try:
        beyond = file.read(1)
    except RemoteError:
        raise
    except (EOFError, OSError, zlib.error) as error:
        raise _torn(name, str(error)) from error
    if beyond:
        raise _torn(name, "it goes on behind what its header announces")


def _torn(name: str, why: str) -> DataError:
    return DataError(f"{name}: torn: {why}\n  do: copy the file again")
