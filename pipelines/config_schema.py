"""The JSON Schema of pipeline configs, by which editors complete keys, show what they mean and mark what is wrong.

It is generated from the config classes. What a class takes in a shorter form than its fields (a name standing alone, a
single schedule in place of a list) is told here, since a validator's code cannot say it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig

Schema = dict[str, Any]

# Editors know this draft best; a schema of a later one they take with a warning.
_DRAFT = "http://json-schema.org/draft-07/schema#"
_ATTRIBUTES = "Attributes:"
# What may be written as one word, and the key that the word is the value of.
_WORDS = {
    "EncodeConfig": "method",
    "ImputeConfig": "method",
    "LossConfig": "name",
    "OptimizerConfig": "name",
    "OutlierConfig": "method",
    "ScaleConfig": "method",
}
# Classes whose keys mean the same as those of others.
_MEANS_THE_SAME = {"ColumnConfig": ("CategoriesConfig", "NumericConfig")}
# Keys that a class fills in by itself, and that need not be written.
_FILLED_IN = {
    "ImputeConfig": ("method",),
    "ModuleConfig": ("digest",),
    "PipelineConfig": ("preprocess",),
    "PreprocessConfig": ("target",),
}


def config_schema() -> Schema:
    """Return the JSON Schema (draft 7) of a pipeline's config: one of tables, or one of images.

    Everything that it accepts in shape may still be refused by `headrace check`, which knows how keys go together.
    """
    kinds = (PipelineConfig, ImagePipelineConfig)
    either = [{"$ref": f"#/definitions/{kind.__name__}"} for kind in kinds]
    return {"$schema": _DRAFT, "title": "A Headrace pipeline", "anyOf": either, "definitions": definitions_of(*kinds)}


def definitions_of(*models: type[BaseModel]) -> dict[str, Schema]:
    """Return the schemas of config classes and of all that they are made of, as a user may write them, by their names.

    Descriptions come from the classes' docstrings. Two classes of one name bear their modules' names too.
    """
    written = models_json_schema([(model, "validation") for model in models], ref_template="#/definitions/{model}")[1]
    definitions = written["$defs"]
    for name, model in classes_of(*models).items():
        if name in definitions:
            _describe(definitions[name], model)
            _loosen(definitions[name], name)
    for name in definitions.keys() & _MEANS_THE_SAME.keys():
        _describe_like(definitions[name], [definitions[other] for other in _MEANS_THE_SAME[name]])
    for definition in definitions.values():
        _describe_sections(definition, definitions)
    return {name: _rewritten(definition, definitions) for name, definition in definitions.items()}


def classes_of(*models: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """Return config classes and all that they are made of, by the names that they may have in a schema."""
    return {name: model for model in _classes(*models) for name in _names(model)}


def _classes(*models: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the classes and all that they are made of, each once."""
    seen: set[type[BaseModel]] = set()
    left = list(models)
    while left:
        model = left.pop()
        if model not in seen:
            seen.add(model)
            yield model
            left += [inner for field in model.model_fields.values() for inner in _inside(field.annotation)]


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _inside(inner)


def _names(model: type[BaseModel]) -> tuple[str, str]:
    """Return what pydantic calls a class in a schema: its name, or where two classes share it the module's too."""
    return model.__name__, f"{model.__module__}.{model.__qualname__}".replace(".", "__")


def _describe(definition: Schema, model: type[BaseModel]) -> None:
    """Take the descriptions from the docstrings of a class and of those that it inherits from."""
    definition["description"] = _summary(model)
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        said |= _attributes(each)
    for name, field in model.model_fields.items():
        described = definition["properties"][field.alias or name]
        if name in said:
            described["description"] = said[name]


def _describe_like(definition: Schema, others: Sequence[Schema]) -> None:
    for key, described in definition["properties"].items():
        said = [other["properties"][key]["description"] for other in others if key in other["properties"]]
        if said:
            described["description"] = said[0]


def _describe_sections(definition: Schema, definitions: Mapping[str, Schema]) -> None:
    """Let a key that its class says nothing of have the description of what stands there."""
    for described in definition.get("properties", {}).values():
        several = described.get("items")
        held = [described, *described.get("anyOf", ()), *([several] if isinstance(several, dict) else ())]
        names = [place.rpartition("/")[2] for each in held if (place := each.get("$ref"))]
        if names and "description" not in described and "description" in definitions[names[0]]:
            described["description"] = definitions[names[0]]["description"]


def _summary(model: type[BaseModel]) -> str:
    text = inspect.cleandoc(model.__doc__ or "").partition(_ATTRIBUTES)[0]
    return re.sub(r"\s+", " ", text).strip()


def _attributes(model: type) -> Mapping[str, str]:
    """Return what a docstring's section `Attributes` says of each."""
    section = inspect.cleandoc(model.__doc__ or "").partition(_ATTRIBUTES)[2]
    parts = re.split(r"^ {4}(\w+):", section, flags=re.MULTILINE)[1:]
    return {name: re.sub(r"\s+", " ", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _loosen(definition: Schema, name: str) -> None:
    """Let a class be written as its validators take it."""
    required = [key for key in definition.get("required", ()) if key not in _FILLED_IN.get(name, ())]
    definition.pop("required", None)
    if required:
        definition["required"] = required
    if name == "OutlierConfig":
        # YAML reads a bare `null` as no value, and that action is called so.
        definition["properties"]["action"] |= {"type": ["string", "null"]}
        definition["properties"]["action"]["enum"].append(None)
    if name == "PartitionsConfig":
        definition["properties"]["values"]["items"] = {"type": ["string", "integer"]}


def _rewritten(node: Any, definitions: Mapping[str, Schema]) -> Any:
    """Return a part of the schema as editors read it best, with the shorter forms beside the long ones."""
    if isinstance(node, list):
        return [_rewritten(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _rewritten(value, definitions) for key, value in node.items() if not _is_noise(key, value)}
    if "prefixItems" in found:
        found["items"] = found.pop("prefixItems")
    if "discriminator" in found:
        return _with_names(found, definitions)
    if found.get("items") == {"$ref": "#/definitions/ScheduleConfig"}:
        return _one_or_several(found)
    word = _WORDS.get(found.get("$ref", "").rpartition("/")[2])
    if word is None:
        return found
    values = definitions[found["$ref"].rpartition("/")[2]]["properties"][word]
    spelled = {key: values[key] for key in ("type", "enum") if key in values}
    return {"anyOf": [spelled, {"$ref": found.pop("$ref")}], **found}


def _is_noise(key: str, value: Any) -> bool:
    """Tell what an editor has no use for: made-up titles, and the whole default of a section."""
    if key == "title":
        return isinstance(value, str)
    return key == "default" and isinstance(value, dict | list)


def _with_names(union: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Let a name stand alone for a choice that needs no further key."""
    chosen = union.pop("discriminator")
    names = [
        name
        for name, place in chosen["mapping"].items()
        if not {*definitions[place.rpartition("/")[2]].get("required", ())} - {chosen["propertyName"]}
    ]
    chosen_by_name = {"type": "object", "required": [chosen["propertyName"]], "oneOf": union.pop("oneOf")}
    return {**union, "anyOf": [{"type": "string", "enum": names}, chosen_by_name]}


def _one_or_several(several: Schema) -> Schema:
    described: Schema = {key: several.pop(key) for key in [*several] if key in {"description", "default"}}
    return {**described, "anyOf": [several["items"], several, {"type": "null"}]}
