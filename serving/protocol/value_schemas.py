"""JSON Schemas of a model's values: what each input takes, and what each output gives."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from serving.bundle.manifest import BundleManifest, DateForm, InputSpec, OutputSpec
from serving.protocol.classification import labels_of
from serving.protocol.examples import example_value
from serving.records.datatypes import FLOATS, INTEGERS, WIRE_DTYPES
from serving.records.tensor_column import column_of

Schema = dict[str, Any]
WHOLE = frozenset({"image", "tensor"})
_JSON_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
# Rules of the contract that JSON Schema has words for.
_KEYWORDS = {
    "enum": "enum",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "min_length": "minLength",
    "max_length": "maxLength",
    "format": "format",
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusive_minimum": "after",
    "exclusive_maximum": "before",
    "enum": "one of",
}
_BEYOND_INT64 = 2**63
# What RE2 and Python read otherwise than ECMAScript, whose expressions JSON Schema has.
_OTHER_REGEX = re.compile(r"\(\?[^:=!<]|\\[AzZQEpPC]|\[\[:")
# A number that is not finite is answered as null.
_OUTPUT_TYPES: dict[str, Any] = {
    "BYTES": "string",
    "BOOL": "boolean",
    **dict.fromkeys(INTEGERS, "integer"),
    **{name: ["number", "null"] for name in FLOATS},
}


def portable(argument: Any) -> Any:
    """Return a rule's argument as JSON can hold it: a whole number beyond 64 bits as a floating-point one."""
    return float(argument) if isinstance(argument, int) and abs(argument) >= _BEYOND_INT64 else argument


def column_schema(spec: InputSpec) -> Schema:
    """Return what one record may hold of an input, with its description and an example."""
    schema = nested_schema(spec) if spec.logical_type in WHOLE else value_schema(spec, column_of(spec).datatypes)
    said = [spec.description] if spec.description else []
    if spec.logical_type in {"date", "timestamp"}:
        said += [f"{_BOUNDS[r.kind].capitalize()} {_listed(r.argument)}." for r in spec.rules if r.kind in _BOUNDS]
    if spec.nullable:
        said.append("May be null or left out.")
    if said:
        schema["description"] = " ".join(said)
    found = example_value(spec)
    if found is not None and spec.logical_type not in WHOLE:
        schema["examples"] = [found]
    return schema


def value_schema(spec: InputSpec, datatypes: Collection[str]) -> Schema:
    """Return what one value of a table's column may be, in any of these datatypes."""
    plain = spec.logical_type in _JSON_TYPES
    value: Schema = {"type": _JSON_TYPES.get(spec.logical_type, "string")}
    if plain:
        value |= {_KEYWORDS[r.kind]: portable(r.argument) for r in spec.rules if _told(r.kind, r.argument)}
    else:
        value["format"] = "date" if spec.logical_type == "date" else "date-time"
    options = [value]
    if plain and spec.datatype != "BYTES" and "BYTES" in datatypes:
        options.append({"type": "string", "description": "as the contract's data is written"})
    if not plain:
        options.append({"type": "integer", "description": "microseconds since 1970 UTC"})
        options += [_written(form) for form in spec.date_forms]
    if spec.nullable:
        options.append({"type": "null"})
    return {"anyOf": options} if len(options) > 1 else value


def element_schema(spec: InputSpec) -> Schema:
    """Return what one element of a tensor may be."""
    if spec.datatype in INTEGERS:
        limits = np.iinfo(WIRE_DTYPES[spec.datatype])
        return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max)}
    kind = {"BYTES": "string", "BOOL": "boolean"}.get(spec.datatype, "number")
    return {"type": [kind, "null"] if spec.nullable else kind}


def nested_schema(spec: InputSpec) -> Schema:
    """Return what one record's tensor may be: lists in lists, as its shape says."""
    nested = element_schema(spec)
    for size in reversed(spec.shape):
        nested = {"type": "array", "minItems": size, "maxItems": size, "items": nested}
    return nested


def prediction_schema(manifest: BundleManifest) -> Schema:
    """Return what the records API answers for one record: its outputs by name."""
    outputs = {spec.name: _output_schema(spec, manifest) for spec in manifest.outputs}
    return {"type": "object", "required": list(outputs), "properties": outputs}


def output_values(spec: OutputSpec, manifest: BundleManifest) -> Schema:
    """Return what one element of an output may be."""
    if len(spec.shape) == 1 and manifest.classes:
        return {"enum": list(manifest.classes)}
    return {"type": _OUTPUT_TYPES[spec.datatype]}


def _output_schema(spec: OutputSpec, manifest: BundleManifest) -> Schema:
    value = output_values(spec, manifest)
    labels: Sequence[str] = labels_of(spec, manifest)
    if labels:
        return {"type": "object", "required": list(labels), "properties": dict.fromkeys(labels, value)}
    for _ in spec.shape[1:]:
        value = {"type": "array", "items": value}
    return value


def _told(kind: str, argument: Any) -> bool:
    if kind == "pattern":
        return _OTHER_REGEX.search(argument) is None
    return kind in _KEYWORDS


def _written(form: DateForm) -> Schema:
    # JSON Schema's expressions are ECMAScript's, which write a named group otherwise.
    return {"type": "string", "title": form.written, "pattern": f"^{re.sub(r'[(][?]P<[a-z]+>', '(', form.pattern)}$"}


def _listed(argument: Any) -> str:
    return ", ".join(map(str, argument)) if isinstance(argument, list | tuple) else str(argument)
