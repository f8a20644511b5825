"""An inference request as every protocol hands it on: the structure is checked, the values are still the wire's."""

from __future__ import annotations

from typing import Any, NamedTuple

from serving.records.datatypes import Tensor


class InputValues(NamedTuple):
    """The values of one input.

    Attributes:
        datatype: The request's, one of those that the input accepts.
        values: One JSON value per element in row-major order, null included; or, of a datatype of numbers or BOOL that
            came in binary, a tensor [elements] of the wire's dtype.
    """

    datatype: str
    values: list[Any] | Tensor


class RequestedOutput(NamedTuple):
    """One output to answer with.

    Attributes:
        binary: Whether its data goes behind the JSON as a binary tensor.
        classes: How many of the top classes to answer instead of the tensor (classification extension); 0 for none.
    """

    name: str
    binary: bool = False
    classes: int = 0


class InferRequest(NamedTuple):
    """A request for one model.

    Attributes:
        id: The client's own name for the request, if it gave one.
        rows: The batch size, at least 1.
        inputs: Every input of the model by its name.
        outputs: What to answer with, in the order asked for.
        plain: Whether the values of every input are a list, of the input's own datatype.
    """

    id: str | None
    rows: int
    inputs: dict[str, InputValues]
    outputs: tuple[RequestedOutput, ...]
    plain: bool = False
