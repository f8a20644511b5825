"""The endpoint's OpenAPI 3.1 document, generated from what each bundle says about its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.bundle.manifest import BundleManifest
from serving.protocol import infer_schemas
from serving.protocol.examples import example_record
from serving.protocol.openapi_parts import JSON, JSON_LENGTH, REFUSALS, SCHEMAS, SECURITY_SCHEMES, refusals
from serving.protocol.value_schemas import Schema, column_schema, prediction_schema

_BINARY = "application/octet-stream"
_FLAG = {"type": "boolean"}
_NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


@dataclass(frozen=True)
class Served:
    """What is served.

    Attributes:
        models: By name the loaded versions, the champion first.
        version: The server's.
        max_batch: The largest number of rows in one request.
        keys: Whether API keys are asked for.
        examples: By model a record that its champion answers; made from the contract alone where there is none here.
    """

    models: Mapping[str, Mapping[str, BundleManifest]]
    version: str
    max_batch: int
    keys: bool = False
    examples: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)


def openapi(served: Served) -> dict[str, Any]:
    """Describe the endpoint as an OpenAPI 3.1 document."""
    document = _Document(served, dict(SCHEMAS))
    document.general()
    for name, versions in served.models.items():
        document.model(name, versions)
    components: dict[str, Any] = {"schemas": document.schemas, "responses": REFUSALS}
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": served.version, "description": "Predictions of the served models."},
        "paths": document.paths,
        "components": components,
    }
    if served.keys:
        components["securitySchemes"] = SECURITY_SCHEMES
        whole["security"] = [{scheme: []} for scheme in SECURITY_SCHEMES]
    return whole


@dataclass(frozen=True)
class _Document:
    """The paths and schemas of one document while it is written."""

    served: Served
    schemas: dict[str, Schema]
    paths: dict[str, Any] = field(default_factory=dict)

    def general(self) -> None:
        """Describe what is about no model."""
        listed = {
            "type": "object",
            "required": ["models"],
            "properties": {"models": {"type": "array", "items": _ref("Model")}},
        }
        live = {"type": "object", "required": ["live"], "properties": {"live": _FLAG}}
        ready = {"type": "object", "required": ["live", "ready"], "properties": {"live": _FLAG, "ready": _FLAG}}
        self.paths["/"] = self._get("The page", {"type": "string"}, "text/html", open_to_all=True)
        self.paths["/v2"] = self._get("The server's name, version and extensions", _NAMED)
        self.paths["/v2/health/live"] = self._get("Whether the server answers", live, open_to_all=True)
        self.paths["/v2/health/ready"] = self._get("Whether every model can be asked", ready, open_to_all=True)
        self.paths["/v2/health/ready"]["get"]["responses"]["400"] = _answer("Not every model", ready)
        self.paths["/v1/models"] = self._get("The models, their versions and who answers", listed)
        self.paths["/v1/stats"] = self._get("The last minute: rates and latencies", _ref("Stats"))
        self.paths["/metrics"] = self._get("Metrics for Prometheus", {"type": "string"}, "text/plain")
        self.paths["/openapi.json"] = self._get("This document", {"type": "object"})

    def model(self, name: str, versions: Mapping[str, BundleManifest]) -> None:
        """Describe a model; its further versions share a path's description as far as they take and give the same."""
        (first, champion), *others = versions.items()
        self._forms(name, champion)
        self._paths(name, champion, name, "")
        form = champion.inputs, champion.outputs, champion.classes, champion.labels, champion.quantiles
        alike = [first]
        for version, manifest in others:
            if (manifest.inputs, manifest.outputs, manifest.classes, manifest.labels, manifest.quantiles) == form:
                alike.append(version)
            else:
                self._forms(f"{name}.{version}", manifest)
                self._paths(name, manifest, f"{name}.{version}", f"/versions/{version}")
        added = self._paths(name, champion, name, "/versions/{version}")
        named = {"name": "version", "in": "path", "required": True, "schema": {"enum": alike}, "example": first}
        for path in added:
            self.paths[path]["parameters"] = [named]

    def _forms(self, prefix: str, manifest: BundleManifest) -> None:
        columns = {spec.name: column_schema(spec) for spec in manifest.inputs}
        self.schemas[f"{prefix}.record"] = {
            "type": "object",
            "additionalProperties": False,
            "required": [spec.name for spec in manifest.inputs if not spec.nullable],
            "properties": columns,
        }
        self.schemas[f"{prefix}.prediction"] = prediction_schema(manifest)
        self.schemas[f"{prefix}.request"] = infer_schemas.request_schema(manifest)
        self.schemas[f"{prefix}.answer"] = infer_schemas.answer_schema(manifest)

    def _paths(self, name: str, manifest: BundleManifest, prefix: str, version: str) -> list[str]:
        """Add the paths of a model, or of a version of it; return them."""
        oip, records = f"/v2/models/{name}{version}", f"/v1/models/{name}{version}"
        ready = {"type": "object", "required": ["name", "ready"], "properties": {"ready": _FLAG}}
        added = {
            f"{records}:predict": {"post": self._predict(name, manifest, prefix)},
            records: self._get(f"The card of {name}: inputs, outputs, proofs", _ref("Card"), of_model=True),
            oip: self._get(f"Inputs and outputs of {name}", _NAMED, of_model=True),
            f"{oip}/ready": self._get(f"Whether {name} can be asked", ready, of_model=True, open_to_all=True),
            f"{oip}/infer": {"post": self._infer(name, manifest, prefix)},
        }
        self.paths.update(added)
        return list(added)

    def _predict(self, name: str, manifest: BundleManifest, prefix: str) -> dict[str, Any]:
        records = {"type": "array", "minItems": 1, "maxItems": self.served.max_batch, "items": _ref(f"{prefix}.record")}
        schema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["records"],
            "properties": {"id": {"type": "string", "description": "The answer repeats it"}, "records": records},
        }
        content: dict[str, Any] = {"schema": schema}
        example = self._example(name, manifest, prefix)
        if example is not None:
            content["example"] = {"records": [example]}
        answer = {
            "type": "object",
            "required": ["model", "version", "predictions"],
            "properties": {
                "model": {"const": name},
                "version": {"type": "string"},
                "id": {"type": "string"},
                "predictions": {"type": "array", "minItems": 1, "items": _ref(f"{prefix}.prediction")},
            },
        }
        said = f"Predict with {name}: records in, predictions out"
        return self._post(said, {JSON: content}, _answer("One prediction for each record", answer))

    def _infer(self, name: str, manifest: BundleManifest, prefix: str) -> dict[str, Any]:
        content: dict[str, Any] = {"schema": _ref(f"{prefix}.request")}
        example = self._example(name, manifest, prefix)
        if example is not None:
            content["example"] = infer_schemas.request_example(manifest, example)
        binary = {"schema": {"type": "string", "format": "binary"}}
        answer = _answer("The outputs, each with name, datatype, shape and flat data", _ref(f"{prefix}.answer"))
        answer["content"][_BINARY] = binary
        said = f"Predict with {name} in the Open Inference Protocol"
        post = self._post(said, {JSON: content, _BINARY: binary}, answer)
        return post | {"parameters": [JSON_LENGTH]}

    def _post(self, summary: str, content: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        statuses = ("400", *self._locked(), "404", "405", "413", "415", "429", "500", "503")
        return {
            "summary": summary,
            "requestBody": {"required": True, "content": content},
            "responses": {"200": answer, **refusals(*statuses)},
        }

    def _get(
        self, summary: str, schema: Schema, content: str = JSON, *, of_model: bool = False, open_to_all: bool = False
    ) -> dict[str, Any]:
        guarded = () if open_to_all else (*self._locked(), "429", "503")
        statuses = sorted((*guarded, "405", *(("404",) if of_model else ())))
        described = {
            "summary": summary,
            "responses": {"200": _answer(summary, schema, content), **refusals(*statuses)},
        }
        return {"get": described | ({"security": []} if open_to_all and self.served.keys else {})}

    def _example(self, name: str, manifest: BundleManifest, prefix: str) -> Mapping[str, Any] | None:
        known = self.served.examples.get(name) if prefix == name else None
        return known or example_record(manifest.inputs)

    def _locked(self) -> tuple[str, ...]:
        return ("401", "403") if self.served.keys else ()


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Schema, content: str = JSON) -> dict[str, Any]:
    return {"description": description, "content": {content: {"schema": schema}}}
