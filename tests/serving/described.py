"""The OpenAPI document of given bundles, and its schemas as judges."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from serving.bundle.manifest import BundleManifest
from serving.protocol.openapi import Served, openapi


def described(*versions: BundleManifest, **served: Any) -> dict[str, Any]:
    """Return the document of one model, `small`, whose champion is the first of these versions."""
    numbered = {str(number): manifest for number, manifest in enumerate(versions, 1)}
    return openapi(Served({"small": numbered}, "1", 100, **served))


def judge(document: dict[str, Any], schema: str) -> Draft202012Validator:
    """Return what judges by a named schema of the document."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def content_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what the document says of a path's body in JSON."""
    content: dict[str, Any] = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return content
