"""The tensors that enter a model's graph, from the values of one request or of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import numpy as np

from serving.bundle.manifest import BundleManifest
from serving.errors import ContractViolationError
from serving.records.datatypes import Tensor
from serving.records.findings import Findings
from serving.records.request import InferRequest, InputValues
from serving.records.tensor_column import column_of

Feed = dict[str, Tensor]
_is_plain = attrgetter("plain")


class Tensors:
    """Checks the values of requests for one model and makes its feed.

    Args:
        manifest: The model's bundle.

    Raises:
        UnservableError: The contract holds a rule that cannot be executed.
    """

    def __init__(self, manifest: BundleManifest) -> None:
        self._model = manifest.model
        self._columns = {spec.name: column_of(spec) for spec in manifest.inputs}

    def feed(self, request: InferRequest) -> Feed:
        """Return one request's feed, each tensor [rows, ...].

        Raises:
            ContractViolationError: Values break a rule of the contract.
        """
        findings = Findings()
        feed: Feed = {}
        for name, (datatype, values) in request.inputs.items():
            tensor = self._columns[name].tensor(values, datatype, findings)
            if tensor is not None:
                feed[name] = tensor
        if findings.count:
            raise ContractViolationError(self._model, findings.count, findings.first)
        return feed

    def joined(self, requests: Sequence[InferRequest]) -> Feed | None:
        """Return the feed of all requests, one after the other, checked column by column in one go.

        Returns:
            The feed; None if a value of any request breaks a rule, which `feed` then says of the one to blame.
        """
        if len(requests) == 1:
            return self._alone(requests[0])
        if all(map(_is_plain, requests)):
            return self._joined_lists([request.inputs for request in requests])
        findings = Findings()
        feed: Feed = {}
        for name, column in self._columns.items():
            tensors = []
            for datatype, values in _runs([request.inputs[name] for request in requests]):
                tensor = column.tensor(values, datatype, findings)
                if tensor is None:
                    return None
                tensors.append(tensor)
            feed[name] = tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
        return feed

    def _joined_lists(self, every: Sequence[dict[str, InputValues]]) -> Feed | None:
        findings = Findings()
        feed: Feed = {}
        for name, (datatype, _) in every[0].items():
            values = list(chain.from_iterable([inputs[name][1] for inputs in every]))
            tensor = self._columns[name].tensor(values, datatype, findings)
            if tensor is None:
                return None
            feed[name] = tensor
        return feed

    def _alone(self, request: InferRequest) -> Feed | None:
        findings = Findings()
        feed: Feed = {}
        for name, (datatype, values) in request.inputs.items():
            tensor = self._columns[name].tensor(values, datatype, findings)
            if tensor is None:
                return None
            feed[name] = tensor
        return feed


def _runs(parts: list[InputValues]) -> list[tuple[str, list[Any] | Tensor]]:
    """Join what follows one another in the same form."""
    return [(datatype, _joined(list(run))) for (datatype, _), run in groupby(parts, _form)]


def _form(part: InputValues) -> tuple[str, type]:
    return part[0], type(part[1])


def _joined(parts: list[InputValues]) -> list[Any] | Tensor:
    values = [values for _, values in parts]
    if type(values[0]) is list:
        return list(chain.from_iterable(values))
    return values[0] if len(values) == 1 else np.concatenate(values)
