"""The images of a source: how many there are of each class, and whether the first can be decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import DataError
from tasks.images.config import ImagesConfig
from tasks.images.decode import decode_image
from tasks.images.idx import IdxPiece
from tasks.images.records import FoundImages, ImageRecord, Piece, RefusedImageError
from tasks.images.sources import find_images
from tasks.images.tables import TablePiece

# Images that are decoded, spread over what is counted; and images of a piece of the source.
_DECODED, _PIECE = 100, 2_000
_SHOWN = 5


@dataclass(frozen=True)
class Pictures:
    """What was seen of a source of images.

    Attributes:
        counted: Images that were counted.
        whole: Whether these are all.
        images: Images of the whole source, by what its files say.
        encoded_bytes: Of an image, in the mean of those that were decoded; 0 where the source holds pixels.
        classes: Images by class, in the classes' order; None where the source says no known class.
        notes: Sentences for a person.
    """

    counted: int
    whole: bool
    images: int
    encoded_bytes: float
    classes: dict[str, int]
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """What was looked at, in a few words."""
        shown = [f"{name} {count:,}" for name, count in list(self.classes.items())[: 4 * _SHOWN]]
        more = f" and {len(self.classes) - len(shown)} more" if len(self.classes) > len(shown) else ""
        there = "" if self.whole else "the first "
        return f"{there}{self.counted:,} images of {len(self.classes)} classes: {', '.join(shown)}{more}"


def look_at_images(config: ImagesConfig) -> Pictures:
    """Count the images of each class, and decode a hundred of them.

    Of a folder every file is counted; of other sources the first piece is read.

    Raises:
        DataError: Nothing is there, a file is torn, there is one class, or none of the decoded images can be taken.
    """
    found = find_images(config.source, _PIECE)
    whole = config.source.format == "folders" or len(found.pieces) == 1
    records = [record for piece in (found.pieces if whole else found.pieces[:1]) for record in piece.records()]
    counts = Counter(_class_of(record, found) for record in records)
    classes = {name: counts[name] for name in found.classes}
    if whole and sum(count > 0 for count in classes.values()) < 2:
        raise DataError(
            f"source {config.source.path}: expected images of at least two classes, got {classes}\n"
            "  do: put each class into a folder of its own, or mend `class_folder`, `label_column` or `classes`"
        )
    tried = [each for each in records[:: max(1, len(records) // _DECODED)][:_DECODED] if each.content is not None]
    sizes = list(map(_encoded, tried))
    return Pictures(
        counted=len(records),
        whole=whole,
        images=len(records) if whole else sum(map(_images, found.pieces)),
        encoded_bytes=sum(sizes) / max(1, len(sizes)),
        classes=classes,
        notes=tuple(_notes(records, tried, counts, found, config)),
    )


def _images(piece: Piece) -> int:
    return piece.stop - piece.start if isinstance(piece, IdxPiece | TablePiece) else 0


def _encoded(record: ImageRecord) -> int:
    if isinstance(record.content, Path):
        return record.content.stat().st_size
    return len(record.content) if isinstance(record.content, bytes) else 0


def _class_of(record: ImageRecord, found: FoundImages) -> str | None:
    if found.by_position and isinstance(record.label, int):
        return found.classes[record.label] if 0 <= record.label < len(found.classes) else None
    return str(record.label) if record.label is not None and str(record.label) in found.classes else None


def _notes(
    records: list[ImageRecord],
    tried: list[ImageRecord],
    counts: Counter[str | None],
    found: FoundImages,
    config: ImagesConfig,
) -> Iterator[str]:
    if lost := counts[None]:
        yield f"{lost:,} of {len(records):,} images have no class of `source.classes`, and would be quarantined"
    refused: dict[str, list[str]] = {}
    taken: set[str | None] = set()
    for record in tried:
        assert record.content is not None
        try:
            decode_image(record.content, config.image)
            taken.add(_class_of(record, found))
        except RefusedImageError as error:
            refused.setdefault(error.rule, []).append(f"{record.source_file} ({error.detail})")
    if tried and sum(map(len, refused.values())) == len(tried):
        rule, files = next(iter(refused.items()))
        raise DataError(
            f"source {config.source.path}: none of {len(tried)} images that were tried can be taken: {rule}, such as "
            f"{', '.join(files[:_SHOWN])}\n  do: look at the files, and at `images.image`"
        )
    if len(taken - {None}) == 1 and len(tried) == len(records):
        rule, files = next(iter(refused.items()))
        raise DataError(
            f"source {config.source.path}: only images of the class {next(iter(taken - {None}))} can be taken: {rule}, "
            f"such as {', '.join(files[:_SHOWN])}\n  do: copy or write the files of the other classes again"
        )
    for rule, files in refused.items():
        yield (
            f"{len(files)} of {len(tried)} images that were tried would be quarantined: {rule}, such as "
            f"{', '.join(files[:_SHOWN])}"
        )
