"""The endpoint's config from a YAML file and the command line; whatever is wrong is said with its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from serving.bundle.places import place

Config = TypeVar("Config", bound=BaseModel)
Location = tuple[str | int, ...]


class ConfigError(ValueError):
    """The endpoint's config asks for something that cannot be done."""


@dataclass
class _Given:
    """Settings as they were given, and where: `file:line`, or the option's name."""

    value: dict[str, Any]
    name: str
    places: dict[Location, str] = field(default_factory=dict)

    def place(self, location: Location) -> str:
        """Return where a setting, or the nearest one around it, was given."""
        while location and location not in self.places:
            location = location[:-1]
        return self.places.get(location, self.name)

    def set(self, key: str, value: Any, option: str) -> None:
        """Put `key.of.section` over what was given before.

        Raises:
            ConfigError: It goes into a single value.
        """
        *sections, last = key.split(".")
        inside = self.value
        for number, section in enumerate(sections):
            if section not in inside:
                inside[section] = {}
                self.places[tuple(sections[: number + 1])] = option
            inside = inside[section]
            if not isinstance(inside, dict):
                raise ConfigError(f"{option}: `{'.'.join(sections[: number + 1])}` holds a single value, no section")
        inside[last] = value
        self.places[*sections, last] = option


def load_config(
    model: type[Config],
    path: Path | None,
    options: Mapping[str, tuple[str, Any]],
    settings: Sequence[str] = (),
    *,
    defaults: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config.

    Args:
        model: Its class.
        path: The YAML file, if there is one. Relative paths in it are relative to its folder.
        options: `key.of.section` to the option's name on the command line and its value; they override the file.
        settings: `key.of.section=value` with a YAML value, applied over the file too.
        defaults: For keys at the top that are given nowhere.

    Raises:
        ConfigError: Something is wrong; the message says where, and for an unknown key the nearest valid one.
    """
    given = _Given({}, "the command line")
    if path is not None:
        given = _read(path)
        _settle_paths(model, given.value, path.absolute().parent)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {setting}: expected KEY=VALUE, such as limits.max_in_flight=100")
        given.set(key, _scalar(text, setting), f"--set {setting}")
    for key, (option, value) in options.items():
        given.set(key, value, option)
    given.value = {**(defaults or {}), **given.value}
    _require_finite(given, given.value, ())
    try:
        return model.model_validate(given.value)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(_problem(given, model, each) for each in error.errors(include_url=False))
        ) from error


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None where none is alike."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.5)), None)


def _read(path: Path) -> _Given:
    # Only who gives a file needs the parser.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    advice = "\n  do: give the path of a YAML file"
    try:
        root = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: cannot be read: {error}{advice}") from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    given = _Given({}, str(path))
    if root is not None:
        if not isinstance(root, CommentedMap):
            raise ConfigError(f"{path}:1: expected keys and values, got {type(root).__name__}{advice}")
        given.value = _plain(root, (), given)
    return given


def _plain(node: Any, location: Location, given: _Given) -> Any:
    if isinstance(node, dict):
        for key in node:
            given.places[*location, key] = f"{given.name}:{node.lc.key(key)[0] + 1}"  # type: ignore[attr-defined]
        return {key: _plain(value, (*location, key), given) for key, value in node.items()}
    if isinstance(node, list):
        for number in range(len(node)):
            given.places[*location, number] = f"{given.name}:{node.lc.item(number)[0] + 1}"  # type: ignore[attr-defined]
        return [_plain(value, (*location, number), given) for number, value in enumerate(node)]
    # The parser keeps how a number was written; only its value matters here.
    return next((kind(node) for kind in (bool, int, float, str) if isinstance(node, kind)), node)


def _scalar(text: str, setting: str) -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ConfigError(f"--set {setting}: the value is not valid YAML") from error


def _settle_paths(model: type[BaseModel], value: dict[str, Any], folder: Path) -> None:
    """Let the relative paths of a file begin at its folder."""
    for name, each in model.model_fields.items():
        inner = value.get(name)
        if isinstance(inner, dict):
            for section in models_in(each.annotation):
                _settle_paths(section, inner, folder)
        # `-` stands for standard output.
        if not isinstance(inner, str) or inner == "-" or "://" in inner:
            continue
        if Path in (each.annotation, *get_args(each.annotation)):
            value[name] = str(folder / place(inner))


def _require_finite(given: _Given, value: Any, location: Location) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(
            f"{given.place(location)}: {_dotted(location)}: expected a finite number, got {value}\n"
            "  do: write a number, or leave the key out"
        )
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        _require_finite(given, each, (*location, key))


def _problem(given: _Given, model: type[BaseModel], problem: ErrorDetails) -> str:
    location = _known_part(problem["loc"], given.value)
    where = given.place(location)
    if not where.startswith("--"):
        where = f"{where}: {_dotted(location)}"
    if problem["type"] == "value_error":
        text = str(problem["ctx"]["error"])
        return text if not location else f"{given.place(location)}: {text}"
    if problem["type"] == "extra_forbidden":
        known = sorted(name for each in _models_at(model, location[:-1]) for name in each.model_fields)
        close = nearest(str(location[-1]), known)
        advice = f"did you mean `{close}`?" if close else f"known keys: {', '.join(known)}"
        return f"{where}: unknown key\n  do: {advice}"
    if problem["type"] == "missing":
        return f"{where}: this key is required and missing\n  do: add it, or give --set {_dotted(location)}=VALUE"
    expected = problem["msg"].removeprefix("Input should be ")
    if expected.startswith(("greater", "less")):
        expected = f"a value {expected}"
    got = f"{problem['input']!r:.80}"
    return f"{where}: expected {expected}, got {got}\n  do: write such a value, or leave the key out for its default"


def _known_part(location: Location, value: Any) -> Location:
    """Leave out of an error's location the names of union branches, which what was given does not have."""
    known: list[str | int] = []
    for part in location:
        if isinstance(value, dict):
            known.append(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            known.append(part)
            value = value[part]
    return tuple(known)


def _models_at(model: type[BaseModel], location: Location) -> list[type[BaseModel]]:
    models = [model]
    for part in location:
        annotations = [each.model_fields[part].annotation for each in models if part in each.model_fields]
        if annotations:
            models = [inner for annotation in annotations for inner in models_in(annotation)]
    return models


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the config classes that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))
