"""What a config's mistakes are called: `file:line`, the key, and for an unknown one the nearest that is valid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from data_contracts.yaml_lines import YamlFile, nearest
from tasks.preprocessing.problem import TargetConfig


def problems(
    file: YamlFile, error: ValidationError, model: type[BaseModel], told_the_target: Collection[str]
) -> Iterable[str]:
    """Yield a line for each mistake.

    Args:
        file: The config's file.
        error: What the model said of it.
        model: The config's class.
        told_the_target: Sections whose target was filled in from the top of the file, and is judged there.
    """
    for problem in error.errors(include_url=False):
        location, unknown = problem["loc"], problem["type"] == "extra_forbidden"
        if location[0] in told_the_target and {*location[1:2]} & {*TargetConfig.model_fields} and not unknown:
            continue  # said at the top, and refused there
        place = _place(location, file.value, missing=problem["type"] == "missing")
        where = f"{file.path}:{file.line(place)}: {'.'.join(map(str, place))}"
        if unknown:
            known = _known_keys(model, place[:-1])
            close = nearest(str(place[-1]), known)
            hint = f"did you mean `{close}`?" if close else f"known keys: {', '.join(known)}"
            if close == place[-1]:
                hint = "it belongs to another `name` than the one that is chosen"
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is required and missing"
        else:
            yield f"{where}: {_said(problem)}"


def _said(problem: ErrorDetails) -> str:
    """Return a problem's message; our own validators say themselves what they got."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {problem['input']!r}"


def _place(location: Sequence[str | int], value: Any, *, missing: bool) -> tuple[str | int, ...]:
    """Return an error's location without the names of union branches, which the file does not have.

    Args:
        location: As pydantic has it.
        value: The file's.
        missing: Whether the error is that the last part is not there.
    """
    place: list[str | int] = []
    for position, part in enumerate(location):
        last = position == len(location) - 1
        # One thing may stand where several may: then it has no number.
        if isinstance(value, dict) and part not in value and (not last or isinstance(part, int)):
            continue
        if not isinstance(value, dict | list) and not (last and missing):
            continue
        place.append(part)
        inside = isinstance(value, dict) and part in value
        listed = isinstance(value, list) and isinstance(part, int) and part < len(value)
        value = value[part] if inside or listed else None
    return tuple(place)


def _known_keys(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """List the keys valid at a place, by walking the models' fields."""
    models = [model]
    for part in place:
        fields = [found for each in models for found in each.model_fields.items() if part in (found[0], found[1].alias)]
        # A part that is no field is a name that the user gave, such as a column's: its model is known already.
        if fields:
            models = [inner for _, field in fields for inner in _models_in(field.annotation)]
    return sorted({field.alias or name for each in models for name, field in each.model_fields.items()})


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
