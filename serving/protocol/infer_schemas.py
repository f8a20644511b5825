"""JSON Schemas and an example of the Open Inference Protocol's requests and answers for one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.bundle.manifest import BundleManifest, InputSpec, OutputSpec
from serving.protocol.value_schemas import WHOLE, Schema, element_schema, nested_schema, output_values, value_schema
from serving.records.tensor_column import column_of

_PARAMETERS = {"binary_data": {"type": "boolean"}, "classification": {"type": "integer", "minimum": 0}}


def request_schema(manifest: BundleManifest) -> Schema:
    """Return what a request may be whose tensors all stand in the JSON."""
    names = [spec.name for spec in manifest.outputs]
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "description": "The answer repeats it"},
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
            "inputs": {
                "type": "array",
                "description": "Every input once, in any order, all of the same number of rows",
                "minItems": len(manifest.inputs),
                "maxItems": len(manifest.inputs),
                "items": {"oneOf": [_input_schema(spec) for spec in manifest.inputs]},
            },
            "outputs": {
                "type": "array",
                "description": "What is answered; everything where this is left out",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"enum": names}, "parameters": {"properties": _PARAMETERS}},
                },
            },
        },
    }


def request_example(manifest: BundleManifest, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return one record as a request."""
    return {
        "inputs": [
            {
                "name": spec.name,
                "datatype": "BYTES" if isinstance(record[spec.name], str) else spec.datatype,
                "shape": [1, *spec.shape],
                "data": _flat(record[spec.name]) if spec.logical_type in WHOLE else [record[spec.name]],
            }
            for spec in manifest.inputs
        ]
    }


def answer_schema(manifest: BundleManifest) -> Schema:
    """Return what an answer in JSON is."""
    return {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "id": {"type": "string"},
            "model_name": {"const": manifest.model},
            "model_version": {"type": "string"},
            "outputs": {
                "type": "array",
                "items": {"anyOf": [_output_schema(spec, manifest) for spec in manifest.outputs]},
            },
        },
    }


def _input_schema(spec: InputSpec) -> Schema:
    if spec.logical_type in WHOLE:
        return _tensor_schema(spec)
    datatypes = column_of(spec).datatypes
    schema: Schema = {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"enum": sorted(datatypes)} if len(datatypes) > 1 else {"const": spec.datatype},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            "data": {"type": "array", "minItems": 1, "items": value_schema(spec, datatypes)},
        },
    }
    if spec.description:
        schema["description"] = spec.description
    return schema


def _tensor_schema(spec: InputSpec) -> Schema:
    sizes = [{"type": "integer", "minimum": 1}, *({"const": size} for size in spec.shape)]
    return {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"const": spec.datatype},
            "shape": {"type": "array", "prefixItems": sizes, "minItems": len(sizes), "maxItems": len(sizes)},
            "data": {
                "type": "array",
                "minItems": 1,
                "anyOf": [{"items": element_schema(spec)}, {"items": nested_schema(spec)}],
            },
        },
    }


def _output_schema(spec: OutputSpec, manifest: BundleManifest) -> Schema:
    said = "one value for each row"
    if len(spec.shape) > 1:
        columns = manifest.classes or manifest.labels or manifest.quantiles
        said = f"row by row, in each row one value for each of {', '.join(map(str, columns))}, in this order"
    # The top classes are texts, whatever the output is.
    values: Schema = {"anyOf": [output_values(spec, manifest), {"type": "string"}]}
    return {
        "type": "object",
        "description": said,
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"enum": sorted({spec.datatype, "BYTES"})},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array", "items": values},
        },
    }


def _flat(nested: Any) -> list[Any]:
    return [value for part in nested for value in _flat(part)] if isinstance(nested, list) else [nested]
