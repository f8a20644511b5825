"""The reference of config keys: every key of every config class, with its type, default and meaning, from the code."""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipelines.config_schema import classes_of, definitions_of

Schema = Mapping[str, Any]

_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "of the pattern {}",
}
# Characters that mean something in Markdown, also within HTML.
_MEANINGS = {ord(each): f"&#{ord(each)};" for each in "\\`*_[]|"}
# A key, and the name of a definition that may stand there.
_Place = tuple[str, str]


@dataclass
class _Reference:
    """The page in the making: which class stands under which key first, and in which order."""

    definitions: Mapping[str, Schema]
    classes: Mapping[str, type[BaseModel]]
    places: dict[str, str] = field(default_factory=dict)

    def lay_out(self, roots: Mapping[str, str]) -> None:
        """Give every definition its heading, breadth first below each key of the roots, so that pages read by section.

        Args:
            roots: Names of definitions, and the headings that they have.
        """
        for root, heading in roots.items():
            self.places[root] = heading
            for key, described in self.definitions[root]["properties"].items():
                self._lay_out_below([(key, name) for name in _named(described)], described)

    def _lay_out_below(self, found: list[_Place], described: Schema) -> None:
        left = deque((self._heading(key, name, is_choice=_is_choice(described)), name) for key, name in found)
        while left:
            heading, name = left.popleft()
            if name in self.places or name not in self.classes:
                continue
            self.places[name] = heading
            for key, inner in self.definitions[name].get("properties", {}).items():
                whole = f"{heading}, {key}" if " " in heading else f"{heading}.{key}"
                left += [(self._heading(whole, each, is_choice=_is_choice(inner)), each) for each in _named(inner)]

    def _heading(self, key: str, name: str, *, is_choice: bool) -> str:
        if not is_choice or name not in self.classes:
            return key
        chosen = _chooser(self.classes[name])
        return f"{key}: {chosen[1]}" if chosen else f"{key} with {next(iter(self.definitions[name]['properties']))}"


def config_page(title: str, intro: str, roots: Mapping[str, type[BaseModel]]) -> str:
    """Return a page in Markdown with every key that the configs of these classes may hold.

    Args:
        title: Of the page.
        intro: Markdown below it.
        roots: Headings of the sections of whole configs, and their classes.
    """
    models = tuple(roots.values())
    reference = _Reference(definitions_of(*models), classes_of(*models))
    tops = {model.__name__: heading for heading, model in roots.items()}
    reference.lay_out(tops)
    parts = [f"# {title}", intro]
    for name, heading in reference.places.items():
        parts.append(_section(reference, name, heading, level=2 if name in tops else 3))
    return "\n\n".join(parts) + "\n"


def _section(reference: _Reference, name: str, heading: str, level: int) -> str:
    definition = reference.definitions[name]
    said = definition.get("description", "")
    shown = heading if level == 2 else f"`{heading}`"
    lines = [f"{'#' * level} {shown} {{ #{_anchor(heading)} }}", "", said, ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    fields = {each.alias or key: each for key, each in reference.classes[name].model_fields.items()}
    needed, chosen = definition.get("required", ()), _chooser(reference.classes[name])
    for key, described in definition.get("properties", {}).items():
        default = "**needed**" if key in needed else _default(fields[key])
        meaning = described.get("description") or ("Chooses this one." if chosen and chosen[0] == key else "")
        lines.append(f"| `{key}` | {_type(described, reference.places)} | {default} | {_cell(meaning)} |")
    return "\n".join(lines)


def _type(described: Schema, places: Mapping[str, str]) -> str:
    """Return what a value may be, in words."""
    if place := described.get("$ref"):
        name = place.rpartition("/")[2]
        return f"[`{places[name]}`](#{_anchor(places[name])})" if name in places else "any value"
    for several in ("anyOf", "oneOf"):
        if several in described:
            return " or ".join(dict.fromkeys(_type(each, places) for each in described[several]))
    if "enum" in described:
        return _choices(described["enum"])
    if "const" in described:
        return _code(described["const"])
    kind = described.get("type", "any value")
    if kind == "null":
        return "`null`"
    bounds = ", ".join(text.format(_bound(described[key])) for key, text in _BOUNDS.items() if key in described)
    parted = "" if not bounds else " " if kind in ("integer", "number") else ", "
    return f"{_word(kind, described, places)}{parted}{bounds}"


def _word(kind: str | list[str], described: Schema, places: Mapping[str, str]) -> str:
    if isinstance(kind, list):
        return " or ".join(_type({**described, "type": each}, places) for each in kind)
    if kind == "array":
        inner = described.get("items", {})
        if isinstance(inner, list):
            return "list of " + ", ".join(_type(each, places) for each in inner)
        return f"list of {_grouped(_type(inner, places))}" if inner else "list"
    values = described.get("additionalProperties")
    if kind == "object" and isinstance(values, dict):
        return f"mapping of names to {_grouped(_type(values, places))}"
    return {"object": "mapping", "string": "text", "boolean": "`true` or `false`"}.get(kind, kind)


def _grouped(words: str) -> str:
    return f"({words})" if " " in words else words


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "from the environment" if "environ" in getattr(info.default_factory, "__name__", "") else "empty"
    if info.default is PydanticUndefined:
        return "made by itself"
    if isinstance(info.default, BaseModel):
        own = _said(info.default)
        return _code(own) if own else "its defaults"
    return _code(info.default)


def _named(described: Any) -> Iterator[str]:
    """Yield the names of the definitions that a value may be made of."""
    if isinstance(described, Mapping):
        if place := described.get("$ref"):
            yield place.rpartition("/")[2]
        described = [value for key, value in described.items() if key != "default"]
    if isinstance(described, list):
        for each in described:
            yield from _named(each)


def _is_choice(described: Schema) -> bool:
    return len({*_named(described)}) > 1


def _said(section: BaseModel) -> dict[str, Any]:
    """Return what a section says that its class does not by itself, and which of several sections it is."""
    chosen = _chooser(type(section))
    given = {key: getattr(section, key) for key in sorted(section.model_fields_set)}
    said = {key: _said(value) if isinstance(value, BaseModel) else value for key, value in given.items()}
    return {**(dict([chosen]) if chosen else {}), **said}


def _chooser(model: type[BaseModel]) -> tuple[str, str] | None:
    """Return the key and the value by which one of several sections is chosen."""
    for key, info in model.model_fields.items():
        values = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
        if len(values) == 1 and isinstance(values[0], str):
            return key, values[0]
    return None


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _choices(values: list[Any]) -> str:
    return ", ".join(_code(each) for each in values)


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"<code>{html.escape(text, quote=False).translate(_MEANINGS) or '&quot;&quot;'}</code>"


def _bound(value: Any) -> str:
    return _code(value) if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
