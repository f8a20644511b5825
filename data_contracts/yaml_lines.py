"""YAML files with the line of every key, so that an error can point at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from data_contracts.yaml_fast import read_fast

Location = tuple[str | int, ...]


class YamlFileError(ValueError):
    """A file that cannot be read as YAML; the message begins with `file:line`."""


@dataclass(frozen=True)
class YamlFile:
    """A parsed file.

    Attributes:
        path: As the user wrote it.
        value: Plain dicts, lists and scalars.
        lines: The 1-based line of each key and list item, by its location from the root.
    """

    path: str
    value: dict[str, Any]
    lines: Mapping[Location, int]

    def line(self, location: Iterable[str | int]) -> int:
        """Return the line of a location, or of its nearest ancestor that the file has."""
        place = tuple(location)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(path: Path) -> YamlFile:
    """Read a YAML file whose root is a mapping.

    Raises:
        YamlFileError: The file is missing, is not UTF-8 or YAML, repeats a key, or its root is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if (fast := read_fast(text)) is not None:
            return YamlFile(str(path), *fast)
        root = YAML(typ="rt", pure=True).load(text)
    except FileNotFoundError as error:
        raise YamlFileError(f"{path}: no such file") from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise YamlFileError(f"{path}: not a text file: {error}") from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise YamlFileError(f"{place}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(root, CommentedMap):
        raise YamlFileError(f"{path}:1: expected a mapping of keys to values, got {type(root).__name__}")
    lines: dict[Location, int] = {}
    return YamlFile(str(path), _plain(root, (), lines), lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None where none is alike."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.5)), None)


def _plain(node: Any, place: Location, lines: dict[Location, int]) -> Any:
    if isinstance(node, CommentedMap):
        for key in node:
            lines[*place, key] = node.lc.key(key)[0] + 1
        return {key: _plain(value, (*place, key), lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for position in range(len(node)):
            lines[*place, position] = node.lc.item(position)[0] + 1
        return [_plain(value, (*place, position), lines) for position, value in enumerate(node)]
    # ruamel keeps how a number was written; only its value matters here.
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
