"""One image as its source gives it, before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.errors import DataError

# An encoded file by its path or its bytes, or pixels that were never encoded: uint8 [H, W] or [H, W, 3].
Content = Path | bytes | NDArray[np.uint8]


@dataclass(frozen=True)
class ImageRecord:
    """One image of a source.

    Attributes:
        source_file: The file's name relative to the source, with forward slashes.
        source_row: Its 1-based row there; 1 where a file is an image.
        label: The class as the source has it; None where it has none.
        group: What the image belongs to; None where the source does not say.
        content: The image; None where the source has none in its place.
    """

    source_file: str
    source_row: int
    label: str | int | None
    group: str | None
    content: Content | None


class Piece(Protocol):
    """A stretch of a source: what one worker reads at a time."""

    def records(self) -> Iterator[ImageRecord]:
        """Yield the images in the source's order."""


@dataclass(frozen=True)
class FoundImages:
    """What a source holds.

    Attributes:
        pieces: Stretches of it, in order.
        classes: Names of the classes, in the order of their positions.
        by_position: An integer label is a position in `classes`; else a label is found by its text.
    """

    pieces: tuple[Piece, ...]
    classes: tuple[str, ...]
    by_position: bool = False


class RefusedImageError(DataError):
    """One image cannot be taken; it goes to the quarantine.

    Attributes:
        rule: The id of the rule that it breaks, such as `image.truncated`.
        detail: What is wrong with it.
    """

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
