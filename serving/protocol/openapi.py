"""The endpoint's OpenAPI 3.1 page, generated from what each bundle says about its inputs and outputs."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from serving.bundle.manifest import BundleManifest, DateForm, InputSpec, OutputSpec
from serving.records.datatypes import FLOATS, INTEGERS, WIRE_DTYPES
from serving.records.tensor_column import column_of

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
_PLACEHOLDERS: dict[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "date": "2000-01-01",
    "timestamp": "2000-01-01T00:00:00Z",
}
# Values of one record's example; a large picture's would fill the page.
_LARGEST_EXAMPLE = 1024
_ZEROS: dict[str, Any] = {"BYTES": "", "BOOL": False, "FP16": 0.0, "FP32": 0.0, "FP64": 0.0}
# A number that is not finite is answered as null.
_OUTPUT_TYPES: dict[str, Any] = {
    "BYTES": "string",
    "BOOL": "boolean",
    **dict.fromkeys(INTEGERS, "integer"),
    **{name: ["number", "null"] for name in FLOATS},
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def openapi(manifests: Sequence[BundleManifest], version: str) -> dict[str, Any]:
    """Describe the endpoint as an OpenAPI 3.1 document.

    Args:
        manifests: The bundles that are served.
        version: The server's version.
    """
    paths: dict[str, Any] = {
        "/v2": _get("The server's name, version and extensions"),
        "/v2/health/live": _get("Whether the server answers"),
        "/v2/health/ready": _get("Whether every model can be asked"),
    }
    for manifest in manifests:
        at = f"/v2/models/{manifest.model}"
        paths[at] = _get(f"Inputs and outputs of {manifest.model}")
        paths[f"{at}/ready"] = _get(f"Whether {manifest.model} can be asked")
        paths[f"{at}/infer"] = {"post": _infer(manifest)}
    return {"openapi": "3.1.0", "info": {"title": "Headrace", "version": version}, "paths": paths}


def example_value(spec: InputSpec) -> Any:
    """Return a value that a request may hold: the contract's example, an allowed value, null, or a bound."""
    rules = {rule.kind: rule.argument for rule in spec.rules}
    if spec.examples:
        return spec.examples[0]
    if "enum" in rules:
        return rules["enum"][0]
    if spec.nullable:
        return None
    return rules.get("minimum", rules.get("maximum", _PLACEHOLDERS[spec.logical_type]))


def _get(summary: str) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": {"200": {"description": "Yes, with a JSON object"}}}}


def _infer(manifest: BundleManifest) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object"},
            "inputs": {
                "type": "array",
                "minItems": len(manifest.inputs),
                "maxItems": len(manifest.inputs),
                "items": {"oneOf": [_input_schema(spec) for spec in manifest.inputs]},
            },
            "outputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"enum": [spec.name for spec in manifest.outputs]}},
                },
            },
        },
    }
    content: dict[str, Any] = {"schema": schema}
    if all(math.prod(spec.shape) <= _LARGEST_EXAMPLE for spec in manifest.inputs):
        content["example"] = {"inputs": [_example(spec) for spec in manifest.inputs]}
    refused = {"content": {"application/json": {"schema": _ERROR}}}
    return {
        "summary": f"Predict with {manifest.model}",
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": {
                "description": "The outputs, each with name, datatype, shape and flat data",
                "content": {"application/json": {"schema": _answer_schema(manifest)}},
            },
            "400": {"description": "Not such a request, or its values break the contract", **refused},
            "413": {"description": "The body is too large", **refused},
            "415": {"description": "The body is compressed", **refused},
        },
    }


def _example(spec: InputSpec) -> dict[str, Any]:
    whole = spec.logical_type in {"image", "tensor"}
    data = [_ZEROS.get(spec.datatype, 0)] * math.prod(spec.shape) if whole else [example_value(spec)]
    return {"name": spec.name, "datatype": spec.datatype, "shape": [1, *spec.shape], "data": data}


def _tensor_schema(spec: InputSpec) -> dict[str, Any]:
    element = _element(spec)
    nested: dict[str, Any] = element
    for size in reversed(spec.shape):
        nested = {"type": "array", "minItems": size, "maxItems": size, "items": nested}
    sizes = [{"type": "integer", "minimum": 1}, *({"const": size} for size in spec.shape)]
    return {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"const": spec.datatype},
            "shape": {"type": "array", "prefixItems": sizes, "minItems": len(sizes), "maxItems": len(sizes)},
            "data": {"type": "array", "minItems": 1, "anyOf": [{"items": element}, {"items": nested}]},
        },
    }


def _element(spec: InputSpec) -> dict[str, Any]:
    if spec.datatype in INTEGERS:
        limits = np.iinfo(WIRE_DTYPES[spec.datatype])
        return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max)}
    kind = {"BYTES": "string", "BOOL": "boolean"}.get(spec.datatype, "number")
    return {"type": [kind, "null"] if spec.nullable else kind}


def _answer_schema(manifest: BundleManifest) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "id": {"type": "string"},
            "model_name": {"const": manifest.model},
            "model_version": {"type": "string"},
            "outputs": {
                "type": "array",
                "items": {"oneOf": [_output_schema(spec, manifest) for spec in manifest.outputs]},
            },
        },
    }


def _output_schema(spec: OutputSpec, manifest: BundleManifest) -> dict[str, Any]:
    value: dict[str, Any] = {"type": _OUTPUT_TYPES[spec.datatype]}
    said = "one value for each row"
    if len(spec.shape) > 1:
        columns = manifest.classes or manifest.labels or manifest.quantiles
        said = f"row by row, in each row one value for each of {', '.join(map(str, columns))}, in this order"
    elif manifest.classes:
        value = {"enum": manifest.classes}
    return {
        "type": "object",
        "description": said,
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"const": spec.datatype},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array", "items": value},
        },
    }


def _input_schema(spec: InputSpec) -> dict[str, Any]:
    if spec.logical_type in {"image", "tensor"}:
        return _tensor_schema(spec)
    datatypes = column_of(spec).datatypes
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"enum": sorted(datatypes)} if len(datatypes) > 1 else {"const": spec.datatype},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            "data": {"type": "array", "minItems": 1, "items": _value_schema(spec, datatypes)},
        },
    }
    if spec.description:
        schema["description"] = spec.description
    return schema


def _value_schema(spec: InputSpec, datatypes: Collection[str]) -> dict[str, Any]:
    plain = spec.logical_type in _JSON_TYPES
    value: dict[str, Any] = {"type": _JSON_TYPES.get(spec.logical_type, "string")}
    if plain:
        value |= {_KEYWORDS[rule.kind]: rule.argument for rule in spec.rules if rule.kind in _KEYWORDS}
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


def _written(form: DateForm) -> dict[str, Any]:
    # JSON Schema's expressions are ECMAScript's, which write a named group otherwise.
    return {"type": "string", "title": form.written, "pattern": f"^{re.sub(r'[(][?]P<[a-z]+>', '(', form.pattern)}$"}
