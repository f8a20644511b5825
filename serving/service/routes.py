"""The endpoint's paths."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from serving.errors import MethodNotAllowedError, NotFoundError

Kind = Literal[
    "page",
    "server",
    "live",
    "ready",
    "openapi",
    "models",
    "card",
    "model",
    "model_ready",
    "infer",
    "predict",
    "metrics",
    "stats",
]


class Route(NamedTuple):
    """What a path asks for; `model` is empty where it names none, `version` is None for the champion."""

    kind: Kind
    model: str = ""
    version: str | None = None


_FIXED = {
    "/": Route("page"),
    "/v2": Route("server"),
    "/v2/": Route("server"),
    "/v2/health/live": Route("live"),
    "/v2/health/ready": Route("ready"),
    "/openapi.json": Route("openapi"),
    "/metrics": Route("metrics"),
    "/v1/models": Route("models"),
    "/v1/stats": Route("stats"),
}
_PAGE_FILES = "/page/"
# Only such paths are remembered: hundreds of the longest ones that a client may send would take megabytes.
_SHORT = 256
# The records API's verb stands behind a colon, as Google's API design guide has it for custom methods.
_PREDICT = ":predict"
_MODEL_KINDS: dict[tuple[str, ...], Kind] = {(): "model", ("ready",): "model_ready", ("infer",): "infer"}


def find_route(path: str) -> Route:
    """Return what a path asks for.

    Args:
        path: The decoded path. A name may hold anything but a slash; whether it is served is for the caller to see.

    Raises:
        NotFoundError: There is no such path.
    """
    return _known(path) if len(path) <= _SHORT else _found(path)


def _found(path: str) -> Route:
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    _, *parts = path.split("/")
    if parts[:2] == ["v2", "models"] and len(parts) > 2 and parts[2]:
        name, version, rest = _named(parts[2:])
        kind = _MODEL_KINDS.get(tuple(rest))
        if kind is not None:
            return Route(kind, name, version)
    if parts[:2] == ["v1", "models"]:
        asked = path.removesuffix(_PREDICT)
        name, version, rest = _named(asked.split("/")[3:] or [""])
        if name and not rest:
            return Route("card" if asked == path else "predict", name, version)
    if path.startswith(_PAGE_FILES):
        return Route("page")
    raise NotFoundError(
        f"no such path {path!r:.200}; the endpoint speaks the Open Inference Protocol under /v2 and takes records at "
        "/v1/models/NAME:predict, see /openapi.json; the page for people is /"
    )


# Clients ask for a few paths again and again; those that are not found are not kept.
_known = lru_cache(maxsize=64)(_found)


def _named(parts: list[str]) -> tuple[str, str | None, list[str]]:
    """Return the model, the version and what follows them."""
    name, *rest = parts
    if len(rest) > 1 and rest[0] == "versions" and rest[1]:
        return name, rest[1], rest[2:]
    return name, None, rest


def check_method(route: Route, method: str) -> None:
    """See that a path is asked for by the right method.

    Raises:
        MethodNotAllowedError: It is not.
    """
    if route.kind in {"infer", "predict"}:
        if method != "POST":
            raise MethodNotAllowedError(method, "POST")
    elif method not in {"GET", "HEAD"}:
        raise MethodNotAllowedError(method, "GET, HEAD")
