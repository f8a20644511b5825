"""The parts of the OpenAPI document that are the same for every model: refusals, parameters, security."""

from __future__ import annotations

from typing import Any

from serving.protocol.value_schemas import Schema

JSON = "application/json"
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What was expected and what came"}},
}
VIOLATION: Schema = {
    "type": "object",
    "required": ["column", "rule", "row", "expected", "got"],
    "properties": {
        "column": {"type": "string"},
        "rule": {"type": "string", "description": "The rule's id in the contract"},
        "row": {"type": "integer", "minimum": 0},
        "expected": {"type": "string"},
        "got": {},
    },
}
BROKEN: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "violations": {
            "type": "array",
            "maxItems": 5,
            "description": "The first values that break a rule of the contract",
            "items": {"$ref": "#/components/schemas/Violation"},
        },
    },
}
_NUMBER = {"type": ["number", "null"]}
STATS: Schema = {
    "type": "object",
    "required": ["uptime_seconds", "workers", "models"],
    "properties": {
        "uptime_seconds": {"type": "number"},
        "workers": {"type": "integer"},
        "models": {
            "type": "object",
            "description": "By model, what came in the last minute",
            "additionalProperties": {
                "type": "object",
                "required": ["requests_per_second", "errors_per_second", "latency_ms"],
                "properties": {
                    "requests_per_second": {"type": "number"},
                    "errors_per_second": {"type": "number"},
                    "rows_per_second": {"type": "number"},
                    "rows_per_run": _NUMBER,
                    "latency_ms": {
                        "type": "object",
                        "required": ["p50", "p95", "p99"],
                        "properties": dict.fromkeys(("p50", "p95", "p99"), _NUMBER),
                    },
                    "versions": {"type": "object", "additionalProperties": {"type": "number"}},
                },
            },
        },
    },
}
OVERVIEW: Schema = {
    "type": "object",
    "required": ["model", "retired", "champion", "versions", "canary_percent", "shadow_percent", "refused"],
    "properties": {
        "model": {"type": "string"},
        "problem": {"type": "string"},
        "retired": {"type": "boolean"},
        "champion": {"type": ["string", "null"]},
        "versions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["version", "role", "digest"],
                "properties": {
                    "version": {"type": "string"},
                    "role": {"enum": ["champion", "canary", "shadow", "also", "kept"]},
                    "digest": {"type": "string"},
                },
            },
        },
        "canary_percent": {"type": "number"},
        "shadow_percent": {"type": "number"},
        "refused": {
            "type": "object",
            "description": "Why a version is not served, by version; `champion` is what the pointer names",
            "additionalProperties": {"type": "string"},
        },
    },
}
CARD: Schema = {
    "type": "object",
    "required": ["model", "version", "role", "digest", "problem", "inputs", "outputs", "example", "proofs", "versions"],
    "properties": {
        **OVERVIEW["properties"],
        "version": {"type": "string"},
        "role": {"type": "string"},
        "digest": {"type": "string"},
        "problem": {"enum": ["binary", "multiclass", "multilabel", "regression", "quantile"]},
        "inputs": {"type": "array", "items": {"type": "object", "required": ["name", "kind", "nullable"]}},
        "outputs": {"type": "array", "items": {"type": "object", "required": ["name", "datatype", "shape"]}},
        "example": {"type": ["object", "null"], "description": "A record that the model answers"},
        "proofs": {"type": "object", "description": "What was shown before promotion"},
    },
}
SCHEMAS = {
    "Error": ERROR,
    "Violation": VIOLATION,
    "BrokenContract": BROKEN,
    "Stats": STATS,
    "Model": OVERVIEW,
    "Card": CARD,
}
_RETRY = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}


def _refusal(description: str, schema: str = "Error", headers: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


_TEXT = {"type": "string"}
REFUSALS: dict[str, dict[str, Any]] = {
    "400": _refusal("Not such a request, or its values break the contract", "BrokenContract"),
    "401": _refusal("No API key, or none that is valid", headers={"WWW-Authenticate": {"schema": _TEXT}}),
    "403": _refusal("The API key may not do this"),
    "404": _refusal("Nothing is served here"),
    "405": _refusal("The path takes other methods", headers={"Allow": {"schema": _TEXT}}),
    "413": _refusal("The body is too large; the connection is closed"),
    "415": _refusal("The body is compressed", headers={"Accept-Encoding": {"schema": _TEXT}}),
    "429": _refusal("This client asks for too much", headers=_RETRY),
    "500": _refusal("The model failed on a request that keeps the contract"),
    "503": _refusal("There is more to do than can be done in time", headers=_RETRY),
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, made by `headrace keys add`"},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same, in a header of its own",
    },
}
JSON_LENGTH = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "required": False,
    "description": "How many bytes of the body are JSON, where binary tensors follow",
    "schema": {"type": "integer", "minimum": 0},
}


def refusals(*statuses: str) -> dict[str, Any]:
    """Return references to these refusals, by status."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
