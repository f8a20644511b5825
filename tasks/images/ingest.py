"""Ingest images: decode a source on Dask into pixels of one shape; what cannot be taken goes to the quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.data.accounting import ACCOUNTING, RowAccounting
from tasks.data.partitions import (
    DATASETS,
    Manifest,
    WrittenPartition,
    manifest_digest,
    part_name,
    stored,
    write_manifest,
    write_partition,
)
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.errors import DataError
from tasks.images.decode import ImageConfig, decode_image
from tasks.images.hashing import hash_pixels
from tasks.images.layout import LAYOUT, ImageLayout, Pixels, pixel_column, write_layout
from tasks.images.records import FoundImages, ImageRecord, Piece, RefusedImageError
from tasks.images.sources import ImageSourceConfig, find_images
from tasks.references import DatasetRef
from tasks.storage import digest_file, new_folder, write_json

__all__ = ["ImageConfig", "ImageSourceConfig", "run_ingest_images"]

QUARANTINE = "quarantine"
QUARANTINE_SCHEMA = pa.schema(
    [
        ("rule_id", pa.string()),
        ("detail", pa.string()),
        ("label", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
    ]
)


@dataclass(frozen=True)
class _Ingested:
    """What became of one piece: its partitions, its refused images by rule, and its file of the quarantine."""

    partitions: list[WrittenPartition]
    refused: Counter[str]
    quarantine: dict[str, str]


@dataclass(frozen=True)
class _Labels:
    """Finds a label's position among the classes."""

    positions: Mapping[str, int]
    by_position: bool

    @staticmethod
    def of(found: FoundImages) -> _Labels:
        return _Labels({name: index for index, name in enumerate(found.classes)}, found.by_position)

    def position(self, label: str | int | None) -> int:
        """Return the class's position.

        Raises:
            RefusedImageError: There is no label, or it is none of the classes.
        """
        if label is None:
            raise RefusedImageError("label.missing", "the source says no class")
        if self.by_position and isinstance(label, int):
            if 0 <= label < len(self.positions):
                return label
        elif str(label) in self.positions:
            return self.positions[str(label)]
        raise RefusedImageError("label.unknown", f"{label!r} is none of the {len(self.positions)} classes")


def run_ingest_images(source: ImageSourceConfig, config: ImageConfig, home: Path, dask: DaskConfig) -> DatasetRef:
    """Make a dataset of a source of images: decoded, of one shape, with `accounting.json` and the quarantine beside.

    A worker holds one partition's pixels and one encoded image (a few, from tables) at a time. The digest depends on
    the files' names and content, not on their place.

    Raises:
        DataError: Nothing is there, a table or an IDX file is torn, no image has a label, or none can be taken.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    layout = ImageLayout(width=config.width, height=config.height, mode=config.mode, classes=())
    found = find_images(source, layout.images_per_partition)
    layout = layout.model_copy(update={"classes": found.classes})
    with new_folder(home / DATASETS, manifest_digest) as folder, open_client(dask) as client:
        work = partial(_ingest_piece, labels=_Labels.of(found), layout=layout, config=config, folder=folder)
        done = map_partitions(client, work, list(enumerate(found.pieces)), label="ingest images")
        accounting = _account(done)
        if not accounting.kept:
            raise DataError(
                f"source {source.path}: none of {accounting.rows_in:,} images can be taken: "
                f"{', '.join(f'{rule} {count:,}' for rule, count in accounting.quarantined.items())}\n"
                "  do: look at the files, then at `modes`, `resize`, `min_side` and `max_side`, or at `source.classes`"
            )
        write_layout(folder, layout)
        write_json(folder / ACCOUNTING, accounting.model_dump(mode="json"))
        written = [each for one in done for each in one.partitions]
        digests = {name: digest_file(folder / name) for name in (LAYOUT, ACCOUNTING)}
        digests |= {path: digest for each in done for path, digest in each.quarantine.items()}
        manifest = Manifest(
            columns={field.name: str(field.type) for field in layout.schema},
            partitions=tuple(each.partition for each in written),
            digests={each.partition.path: each.digest for each in written} | digests,
        )
        write_manifest(folder, manifest)
    return stored(home, manifest)


def _account(done: list[_Ingested]) -> RowAccounting:
    refused: Counter[str] = Counter()
    for each in done:
        refused.update(each.refused)
    kept = sum(written.partition.rows for each in done for written in each.partitions)
    return RowAccounting(
        rows_in=kept + refused.total(), kept=kept, quarantined=dict(sorted(refused.items())), duplicates=0
    ).reconciled()


def _ingest_piece(
    numbered: tuple[int, Piece], *, labels: _Labels, layout: ImageLayout, config: ImageConfig, folder: Path
) -> _Ingested:
    index, piece = numbered
    refused: list[tuple[RefusedImageError, ImageRecord]] = []
    written: list[WrittenPartition] = []
    for table in _tables(_decoded(piece, labels, config, refused), layout):
        written.append(write_partition(folder, f"part-{index:05d}-{len(written):05d}.parquet", table))
    rules = Counter(error.rule for error, _ in refused)
    if not refused:
        return _Ingested(written, rules, {})
    quarantine = write_partition(folder, f"{QUARANTINE}/{part_name(index)}", _quarantined(refused))
    return _Ingested(written, rules, {quarantine.partition.path: quarantine.digest})


def _decoded(
    piece: Piece, labels: _Labels, config: ImageConfig, refused: list[tuple[RefusedImageError, ImageRecord]]
) -> Iterator[tuple[ImageRecord, int, Pixels]]:
    """Yield the images that can be taken, with the positions of their classes; append the others to `refused`."""
    for record in piece.records():
        try:
            if record.content is None:
                raise RefusedImageError("image.missing", "null")  # noqa: TRY301
            position = labels.position(record.label)
            pixels = decode_image(record.content, config)
        except RefusedImageError as error:
            refused.append((error, record))
        else:
            yield record, position, pixels


def _tables(decoded: Iterator[tuple[ImageRecord, int, Pixels]], layout: ImageLayout) -> Iterator[pa.Table]:
    """Gather images into full partitions; the last has what is left."""
    room = layout.images_per_partition
    pixels = np.empty((room, *layout.shape), dtype=np.uint8)
    held: list[tuple[ImageRecord, int]] = []
    for record, position, image in decoded:
        pixels[len(held)] = image
        held.append((record, position))
        if len(held) == room:
            yield _table(pixels, held, layout)
            held = []
    if held:
        yield _table(pixels[: len(held)], held, layout)


def _table(pixels: Pixels, held: list[tuple[ImageRecord, int]], layout: ImageLayout) -> pa.Table:
    columns = [
        pixel_column(pixels),
        [position for _, position in held],
        hash_pixels(pixels),
        [record.group for record, _ in held],
        [record.source_file for record, _ in held],
        [record.source_row for record, _ in held],
    ]
    return pa.table(dict(zip(layout.schema.names, columns, strict=True)), schema=layout.schema)


def _quarantined(refused: list[tuple[RefusedImageError, ImageRecord]]) -> pa.Table:
    rows = [
        (
            error.rule,
            error.detail,
            None if record.label is None else str(record.label),
            record.source_file,
            record.source_row,
        )
        for error, record in refused
    ]
    columns = zip(*rows, strict=True)
    return pa.table(dict(zip(QUARANTINE_SCHEMA.names, map(list, columns), strict=True)), schema=QUARANTINE_SCHEMA)
