"""Two bundles' answers to the same raw rows, in one candidate's terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ValidationError

from serving.bundle.manifest import BundleManifest, InputSpec
from serving.bundle.read import open_bundle
from tasks.errors import DataError
from tasks.export.bundle import PREPROCESSING
from tasks.export.prediction_paths import ServingPath
from tasks.export.standards import LABEL, LABELS, PREDICTION, PROBABILITIES, QUANTILES
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target

_BATCH_ROWS = 16_384
# How rows are typed for each logical type; a type that is not among these is for the graph to refuse.
_ARROW = {
    "string": ("string", "large_string", "dictionary"),
    "integer": ("int64",),
    "number": ("double",),
    "boolean": ("bool",),
    "date": ("date32",),
    "timestamp": ("timestamp",),
}


class NotComparableError(ValueError):
    """A champion cannot answer a candidate's rows; the message says why, to end a sentence."""


class OtherQuestionError(NotComparableError):
    """A champion predicts something else, so that nothing that was measured of it says anything of the candidate."""


@dataclass(frozen=True)
class Contender:
    """A bundle that answers rows of a candidate's test split.

    Attributes:
        manifest: The bundle's.
        own: What it predicts.
        target: What the candidate predicts.
    """

    manifest: BundleManifest
    serving: ServingPath
    own: Target
    target: Target
    _answered: list[Mapping[str, NDArray[Any]]] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def open(cls, bundle: Path, target: Target) -> Contender:
        """Load a bundle's graph.

        Raises:
            BundleError: It is broken.
            OtherQuestionError: What it predicts cannot be read.
        """
        manifest = open_bundle(bundle)
        try:
            own = Preprocessing.model_validate_json((bundle / PREPROCESSING).read_bytes()).target
        except ValidationError as error:
            raise OtherQuestionError("what it predicts is written in the form of another release") from error
        return cls(manifest, ServingPath.open(bundle, manifest), own, target)

    def require_comparable(self, candidate: Contender, columns: Mapping[str, str]) -> None:
        """Refuse a champion that predicts something else (`OtherQuestionError`), or needs what the rows do not have.

        Args:
            candidate: What it is compared with.
            columns: Arrow type of each of the rows' columns, as text.

        Raises:
            NotComparableError: It is so.
        """
        theirs, ours = _said(self.own), _said(self.target)
        if theirs != ours:
            raise OtherQuestionError(f"it predicts {theirs}, and the candidate {ours}")
        shapes = {spec.name: spec.shape for spec in candidate.manifest.inputs}
        for spec in self.manifest.inputs:
            if shapes.get(spec.name, spec.shape) != spec.shape:
                both = f"{list(spec.shape)}, and the candidate {list(shapes[spec.name])}"
                raise NotComparableError(f"it reads `{spec.name}` in the shape {both}")
            if not _fits(spec, columns.get(spec.name)):
                found = f"is of type {columns[spec.name]}" if spec.name in columns else "is not there"
                raise NotComparableError(f"it reads `{spec.name}` ({spec.logical_type}), which in this data {found}")

    def answer(self, rows: pa.Table) -> None:
        """Answer some more rows.

        Raises:
            DataError: A column that must not be null is.
        """
        self._answered.append(self.serving.predict(rows))

    def predictions(self) -> Predictions:
        """Return everything answered so far, classes and labels in the target's order."""
        tensors = {name: np.concatenate([each[name] for each in self._answered]) for name in self._answered[0]}
        if isinstance(self.target, ClassTarget):
            place = {value: index for index, value in enumerate(self.target.classes)}
            return Predictions(
                probabilities=self._ordered(tensors[PROBABILITIES], self.manifest.classes, self.target.classes),
                labels=np.array([place[value] for value in tensors[LABEL].tolist()], dtype=np.int64),
            )
        if isinstance(self.target, LabelsTarget):
            order = self.manifest.labels, self.target.labels
            return Predictions(
                probabilities=self._ordered(tensors[PROBABILITIES], *order),
                labels=self._ordered(tensors[LABELS], *order),
            )
        return Predictions(numbers=tensors[QUANTILES if self.target.quantiles else PREDICTION])

    @staticmethod
    def _ordered(values: NDArray[Any], theirs: Sequence[Any], ours: Sequence[Any]) -> NDArray[Any]:
        ordered = values[:, [theirs.index(name) for name in ours]]
        return ordered if ordered.dtype == np.bool_ else ordered.astype(np.float64)


def answer_all(champion: Contender, candidate: Contender, tables: Iterable[pa.Table]) -> int:
    """Let both answer the same typed rows, a few thousand at a time.

    Returns:
        How many rows there were.

    Raises:
        NotComparableError: The champion refuses a row that the candidate takes.
    """
    rows = 0
    for table in tables:
        for start in range(0, table.num_rows, _BATCH_ROWS):
            batch = table.slice(start, _BATCH_ROWS)
            candidate.answer(batch)
            try:
                champion.answer(batch)
            except DataError as error:
                raise NotComparableError(f"it refuses rows of this data: {str(error).splitlines()[0]}") from error
            rows += batch.num_rows
    return rows


def _said(what: Target) -> str:
    """Say what is predicted, so that two who predict the same say the same, whatever the order."""
    if isinstance(what, ClassTarget):
        return f"the classes {sorted(what.classes)} of `{what.column}`"
    if isinstance(what, LabelsTarget):
        return f"the labels {sorted(what.labels)}"
    if what.quantiles:
        return f"the quantiles {list(what.quantiles)} of `{what.column}`"
    return f"the number `{what.column}`"


def _fits(spec: InputSpec, arrow: str | None) -> bool:
    if spec.logical_type == "image":
        return arrow == f"fixed_size_binary[{math.prod(spec.shape)}]"
    wanted = _ARROW.get(spec.logical_type)
    return arrow is not None and (wanted is None or arrow.startswith(wanted))
