"""Reading YAML by libyaml: some ten times as fast as in Python, for contracts of thousands of columns.

It reads what nearly every file is made of, exactly as ruamel.yaml does (YAML 1.2), and leaves the rest to it: anchors,
tags, merged keys, directives, and whatever is wrong, so that every message stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.resolver import implicit_resolvers
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Location = tuple[str | int, ...]

_PLAIN, _OTHER = "plain", "other"
_VERSION = (1, 2)
# What might be something else than a text.
_TELLING = re.compile(r"^(?:$|[-+.0-9~=<!&*]|[tTfFnN](?:rue|RUE|alse|ALSE|ull|ULL)$)")
_WHOLE = re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$")
_FRACTION = re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$")
_DATE_LENGTH = 10
_READ = ("bool", "float", "int", "null", "timestamp")
_DEEPEST = 100
# A directive, a byte order mark, an anchor, a key behind `?`, and what libyaml takes for white space in more places.
_UNUSUAL = re.compile(r"^[%\ufeff]|(?:^|[\s\[{,])(?:\?(?:\s|$)|&\S)|[\t\x85\u2028\u2029]", re.MULTILINE)


class _LeftError(Exception):
    """The file holds what only the slow way reads, or tells what is wrong with it."""


def read_fast(text: str) -> tuple[dict[str, Any], dict[Location, int]] | None:
    """Return a file's content and the line of each key and item; None where only the slow way can tell.

    Args:
        text: The whole file.
    """
    if not yaml.__with_libyaml__ or _UNUSUAL.search(text):
        return None
    try:
        root = _loader()(text).get_single_node()
        if not isinstance(root, MappingNode):
            return None
        walk = _Walk()
        return walk.value(root, ()), walk.lines
    except (yaml.YAMLError, _LeftError):
        return None


@lru_cache
def _loader() -> Any:
    from yaml._yaml import CParser  # noqa: PLC0415  # not there without libyaml

    class Loader(CParser):
        """Composes nodes whose tag says only whether a scalar stands there without quotes."""

        def resolve(self, kind: type[Node], _value: Any, implicit: Any) -> str:
            return _PLAIN if kind is ScalarNode and implicit[0] else _OTHER

        def descend_resolver(self, parent: Any, index: Any) -> None: ...

        def ascend_resolver(self) -> None: ...

    return Loader


class _Walk:
    """From nodes to plain values, noting where each stands."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}

    def value(self, node: Node, place: Location) -> Any:
        """Return what a node holds."""
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if node.tag != _OTHER or len(place) > _DEEPEST:
            raise _LeftError
        if isinstance(node, SequenceNode):
            return list(self._items(node.value, place))
        return self._mapping(node.value, place)

    def _items(self, nodes: Iterable[Node], place: Location) -> Iterator[Any]:
        for position, node in enumerate(nodes):
            at = (*place, position)
            self.lines[at] = node.start_mark.line + 1
            yield self.value(node, at)

    def _mapping(self, pairs: Iterable[tuple[Node, Node]], place: Location) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, node in pairs:
            key = _scalar(key_node) if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str) or key in found:
                raise _LeftError
            at = (*place, key)
            self.lines[at] = key_node.start_mark.line + 1
            found[key] = self.value(node, at)
        return found


def _scalar(node: ScalarNode) -> Any:
    if node.tag == _OTHER and node.style:
        return node.value
    if node.tag != _PLAIN:
        raise _LeftError
    return node.value if not _TELLING.match(node.value) else _read(node.value)


@lru_cache(maxsize=100_000)
def _read(text: str) -> Any:
    """Return what a scalar without quotes means."""
    if _WHOLE.match(text):
        return int(text)
    if _FRACTION.match(text):
        return float(text)
    for versions, tag, expression, first in implicit_resolvers:
        if _VERSION in versions and text[:1] in first and expression.match(text):
            kind = tag.rpartition(":")[2]
            if kind not in _READ or (kind == "timestamp" and len(text) != _DATE_LENGTH):
                raise _LeftError
            try:
                return YAML(typ="safe", pure=True).load(text)
            except (ValueError, IndexError):
                # The expressions for numbers match a lone point or sign too.
                return text
    return text
