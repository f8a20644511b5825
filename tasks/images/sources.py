"""Where images lie: the config's path, and the stretches of the source that workers read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, field_validator, model_validator

from tasks.errors import DataError
from tasks.images.folders import find_folders
from tasks.images.idx import find_idx
from tasks.images.places import GroupRule
from tasks.images.records import FoundImages
from tasks.images.tables import TableColumns, find_tables

ImageFormat = Literal["folders", "parquet", "arrow", "idx"]


class ImageSourceConfig(BaseModel):
    """A source of labelled images.

    Attributes:
        path: `folders`: the folder that holds a folder for each class. `parquet`, `arrow`: a file or a folder of
            them. `idx`: a folder with `<name>-images-idx3-ubyte` and `<name>-labels-idx1-ubyte`, gzipped or not.
        format: What the source is.
        classes: Names of the classes. They give integer labels their names and texts their order; a label beyond
            them is quarantined. By default the labels that occur, in order.
        class_folder: `folders`: which part of a file's path names its class; 0 is the folder directly below `path`.
        image_column: `parquet`, `arrow`: encoded bytes, or a struct with a field `bytes`.
        label_column: `parquet`, `arrow`: text, integers or booleans.
        group_column: `parquet`, `arrow`: the group of an image.
        group_pattern: A regular expression with one group, searched in the source file's name; what its group holds is
            the group of the file's images. IDX files have their `<name>` as group by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    format: ImageFormat
    classes: tuple[str, ...] | None = Field(default=None, min_length=1)
    class_folder: NonNegativeInt = 0
    image_column: str = "image"
    label_column: str = "label"
    group_column: str | None = None
    group_pattern: str | None = None

    @field_validator("classes")
    @classmethod
    def _once(cls, classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = sorted({name for name in classes or () if (classes or ()).count(name) > 1})
        if twice:
            raise ValueError(f"classes: listed twice: {', '.join(twice[:5])}")
        return classes

    @field_validator("group_pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        try:
            groups = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"group_pattern: `{pattern}` is no regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"group_pattern: `{pattern}` has {groups} groups in round brackets, expected one")
        return pattern

    @model_validator(mode="after")
    def _fits_format(self) -> ImageSourceConfig:
        table = {"image_column", "label_column", "group_column"}
        foreign = {"folders": table, "idx": table | {"class_folder"}}.get(self.format, {"class_folder"})
        wrong = sorted(foreign & self.model_fields_set)
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: belongs to another format than `{self.format}`")
        if self.group_column is not None and self.group_pattern is not None:
            raise ValueError("group_column and group_pattern: only one of them can say the group")
        return self


def find_images(source: ImageSourceConfig, images_per_piece: int) -> FoundImages:
    """Find a source's images and its classes; no image is read.

    Args:
        source: Where they are.
        images_per_piece: The most images of one piece, where the source can be entered anywhere.

    Raises:
        DataError: Nothing is there, a file is torn, or there is no class.
    """
    group = GroupRule(source.group_pattern)
    match source.format:
        case "folders":
            found = find_folders(source.path, source.class_folder, group, images_per_piece)
        case "idx":
            found = find_idx(source.path, group, images_per_piece)
        case "parquet" | "arrow":
            columns = TableColumns(source.image_column, source.label_column, source.group_column)
            found = find_tables(source.path, source.format, columns, group, images_per_piece)
    if source.classes is not None:
        return FoundImages(found.pieces, source.classes, _by_position(source.classes, found))
    if not found.classes:
        raise DataError(
            f"source {source.path}: no image has a label\n"
            "  do: mend `class_folder` or `label_column`, or put each class into a folder of its own"
        )
    return found


def _by_position(configured: Sequence[str], found: FoundImages) -> bool:
    """Say whether integer labels are positions among the configured classes, rather than those classes' names."""
    if found.by_position:
        return True
    named = set(configured) & set(found.classes)
    return not named and all(re.fullmatch(r"-?\d+", label) for label in found.classes)
