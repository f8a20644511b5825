"""What a bundle says that its model's records and predictions look like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.errors import IntegrityError
from tasks.export.bundle import EVALUATION, PREPROCESSING, REFERENCE

Counts = NDArray[np.int64]
_INSTANTS = frozenset({"date", "timestamp"})
_RETRAIN = "run the pipeline again; its next version will have them"


@dataclass(frozen=True)
class Series:
    """One series of values of the reference: a raw column, or a part of the predictions.

    Attributes:
        name: The column's, or the prediction's.
        of: The field of the samples that holds it: `record` or `prediction`.
        column: The column of that field.
        place: Where each value of that is a list, which of its numbers; `largest` for its largest.
        kind: `number` and `category` are compared; of an `instant`, which moves on by itself, only the nulls are.
        rows: Rows of the reference.
        nulls: Null ones among them.
        counts: int64 `[K]`. For numbers the rows between the edges; for categories the rows of each value and, last,
            those of all others. Without any there is nothing to compare the distribution with.
        error: By how many rows a count of numbers can be wrong.
        edges: float64 `[K - 1]`, ascending; none for categories.
        values: `[K - 1]`; none for numbers.
        span: Least and greatest number; None where it does not count.
        closed: Whether `values` are all that the reference held, so that any other is unseen.
        once: How many values the reference held in one row only.
    """

    name: str
    of: Literal["record", "prediction"]
    column: str
    kind: Literal["number", "category", "instant"]
    rows: int
    nulls: int
    place: int | Literal["largest"] | None = None
    counts: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    error: int = 0
    edges: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    values: tuple[str, ...] = ()
    span: tuple[float, float] | None = None
    closed: bool = False
    once: int = 0


@dataclass(frozen=True)
class Reference:
    """Everything that served traffic is held against.

    Attributes:
        series: In the order of the file, features before predictions.
        lacks: What the bundle does not say, for people.
        evaluation: The content of `evaluation.json`; empty where the bundle has none.
        preprocessing: The content of `preprocessing.json`, as it stands.
    """

    series: tuple[Series, ...]
    lacks: tuple[str, ...]
    evaluation: Mapping[str, Any]
    preprocessing: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Rows of the smallest sample that a series was described from."""
        return min(each.rows for each in self.series)


def read_reference(bundle: Path) -> Reference:
    """Read what a bundle expects; its files are to be checked against their digests before.

    Raises:
        IntegrityError: The bundle holds no reference, or one that is not what the pipeline writes.
    """
    reference, evaluation = _document(bundle / REFERENCE), _document(bundle / EVALUATION)
    columns, predictions = reference.get("columns", {}), evaluation.get("predictions", {})
    if not columns:
        raise IntegrityError(
            f"{bundle / REFERENCE}: the bundle does not say what its training data looked like (images and bare "
            "networks have no columns to describe)\n  do: watch such a model by its labels"
        )
    try:
        features = [_series(name, "record", each) for name, each in columns.items()]
        answers = [_series(name, "prediction", each) for name, each in predictions.items()]
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            f"{bundle / REFERENCE}: not what the pipeline writes: {error!r}\n  do: run the pipeline again"
        ) from error
    lacks = list(_lacking(features))
    if not answers:
        lacks.append(f"{EVALUATION} does not describe predictions, so they are not compared; {_RETRAIN}")
    return Reference((*features, *answers), tuple(lacks), evaluation, _document(bundle / PREPROCESSING))


def _document(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _series(name: str, field_of: Literal["record", "prediction"], about: Mapping[str, Any]) -> Series:
    column = about.get("output", name)
    known: dict[str, Any] = {"rows": about["rows"], "nulls": about["nulls"], "place": about.get("place")}
    if about["kind"] == "category":
        counts = np.array([*about["values"].values(), about["others"]], np.int64)
        return Series(
            name,
            field_of,
            column,
            "category",
            **known,
            counts=counts if about["values"] else np.zeros(0, np.int64),
            values=tuple(about["values"]),
            closed=bool(about["values"]) and about["distinct"] == len(about["values"]) and not about["missed"],
            once=int((counts[:-1] == 1).sum()),
        )
    if about.get("logical_type") in _INSTANTS:
        return Series(name, field_of, column, "instant", **known)
    span = (about["minimum"], about["maximum"]) if about.get("minimum") is not None else None
    counts, edges = np.array(about.get("counts", ()), np.int64), np.array(about.get("edges", ()), np.float64)
    error = about.get("rank_error", 0)
    return Series(name, field_of, column, "number", **known, counts=counts, edges=edges, error=error, span=span)


def _lacking(features: Iterable[Series]) -> Iterable[str]:
    unbinned = [each.name for each in features if each.kind == "number" and not len(each.counts)]
    if unbinned:
        yield f"{REFERENCE} has no bins of {_named(unbinned)}: their distributions are not compared; {_RETRAIN}"
    nameless = [each.name for each in features if each.kind == "category" and not len(each.counts)]
    if nameless:
        yield f"the values of {_named(nameless)} stand in no reference (classified): only nulls are compared"
    long = [each.name for each in features if each.kind == "category" and each.values and not each.closed]
    if long:
        yield f"{REFERENCE} names the commonest values of {_named(long)} only: unseen ones are not told from rare ones"
    instants = [each.name for each in features if each.kind == "instant"]
    if instants:
        yield f"{_named(instants)} moves on by itself: only nulls are compared"


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
