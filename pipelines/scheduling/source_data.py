"""Whether the data behind a source is still what it was: by sizes and times of its files, then by their bytes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.data.sources import SourceConfig, list_files, named_files, stamp_of
from tasks.errors import DataError
from tasks.images.sources import ImageSourceConfig
from tasks.storage import digest_file, digest_of


class SourceData(BaseModel):
    """What a source's files were.

    Attributes:
        stamp: A digest of their names, sizes and times. While it stays, nothing is read; an object store keeps no
            times, so there a file is another one if its size is.
        digest: A digest of their names and content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stamp: str
    digest: str


def data_of(source: SourceConfig | ImageSourceConfig, before: SourceData | None = None) -> SourceData | None:
    """Say what a source's files are; None where there are none.

    Args:
        source: The config's.
        before: What they were; where their stamp is that, they are not read again.
    """
    try:
        files = _files(source)
        stamp = digest_of({name: stamp_of(path) for name, path in files.items()})
        if before is not None and before.stamp == stamp:
            return before
        return SourceData(stamp=stamp, digest=digest_of({name: digest_file(path) for name, path in files.items()}))
    except (DataError, FileNotFoundError):
        return None  # the run will say what is missing; what went while it was looked at is missing too


def _files(source: SourceConfig | ImageSourceConfig) -> dict[str, Path]:
    if isinstance(source, ImageSourceConfig):
        return named_files(source.path)
    return {file.name: file.path for file in list_files(source)}
