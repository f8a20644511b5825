"""The tensors that enter a model's graph, from the values of one request or of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby
from operator import itemgetter

import numpy as np

from serving.bundle.manifest import BundleManifest
from serving.errors import ContractViolationError
from serving.records.column import Findings, Tensor
from serving.records.image_column import column_of
from serving.records.request import InferRequest

Feed = dict[str, Tensor]


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
        findings = Findings()
        feed: Feed = {}
        for name, column in self._columns.items():
            tensors = []
            for datatype, run in groupby((request.inputs[name] for request in requests), itemgetter(0)):
                values = list(chain.from_iterable(each.values for each in run))
                tensor = column.tensor(values, datatype, findings)
                if tensor is None:
                    return None
                tensors.append(tensor)
            feed[name] = tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
        return feed
