"""Image files in a folder for each class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.images.places import GroupRule, files_below
from tasks.images.records import FoundImages, ImageRecord
from tasks.storage import place


@dataclass(frozen=True)
class FolderPiece:
    """Some image files, by their names relative to the source."""

    root: str
    names: tuple[str, ...]
    class_folder: int
    group: GroupRule

    def records(self) -> Iterator[ImageRecord]:
        """Yield one image a file; nothing is opened."""
        root = place(self.root)
        for name in self.names:
            label = _class_of(name, self.class_folder)
            yield ImageRecord(name, 1, label, self.group.of(name), root / name)


def find_folders(path: str, class_folder: int, group: GroupRule, files_per_piece: int) -> FoundImages:
    """Find every file below a folder; what is no image is for the quarantine to say.

    Args:
        path: The folder.
        class_folder: Which folder on the way to a file names its class, from 0.
        group: What a file's name says of its group.
        files_per_piece: The most files of a piece.

    Raises:
        DataError: Nothing is there.
    """
    root, files = files_below(path)
    names = [file.relative_to(root).as_posix() for file in files]
    classes = {label for name in names if (label := _class_of(name, class_folder)) is not None}
    pieces = tuple(
        FolderPiece(str(root), tuple(names[start : start + files_per_piece]), class_folder, group)
        for start in range(0, len(names), files_per_piece)
    )
    return FoundImages(pieces, tuple(sorted(classes)))


def _class_of(name: str, class_folder: int) -> str | None:
    folders = name.split("/")[:-1]
    return folders[class_folder] if class_folder < len(folders) else None
