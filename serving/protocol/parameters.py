"""The `parameters` of requests: those that mean something here are checked, others are ignored as the protocol says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.errors import BadRequestError
from serving.protocol.words import kind
from serving.records.findings import short

Parameters = Mapping[str, Any]
_SHARED = "shared_memory_"
_NONE: Parameters = {}


def parameters_of(where: str, entry: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a request, an input or an output.

    Args:
        where: Whose they are, for messages.
        entry: The object that may have them.

    Raises:
        BadRequestError: They are no object, or ask for shared memory.
    """
    parameters = entry.get("parameters")
    if parameters is None:
        return _NONE
    if type(parameters) is not dict:
        raise BadRequestError(f"{where}: expected 'parameters' to be an object, got {kind(parameters)}")
    for name in parameters:
        if name.startswith(_SHARED):
            raise BadRequestError(
                f"{where}: parameter {short(name)} belongs to the shared memory extension, which this server does not "
                "have (see 'extensions' at /v2); send the tensor itself"
            )
    return parameters


def flag(where: str, parameters: Parameters, name: str, *, default: bool) -> bool:
    """Return a parameter that is true or false.

    Raises:
        BadRequestError: It is neither.
    """
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise BadRequestError(f"{where}: expected parameter {name!r} to be true or false, got {short(value)}")
    return value


def count(where: str, parameters: Parameters, name: str) -> int | None:
    """Return a parameter that is a number of things, or None where it is not given.

    Raises:
        BadRequestError: It is no whole number, or below 0.
    """
    value = parameters.get(name)
    if name not in parameters:
        return None
    if type(value) is not int or value < 0:
        raise BadRequestError(f"{where}: expected parameter {name!r} to be a whole number, got {short(value)}")
    return value
