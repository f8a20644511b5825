"""One change between two versions of a contract, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

Consequence = Literal["nothing", "revalidate", "refit", "retrain", "breaks-clients"]
ChangeKind = Literal["added", "removed", "renamed", "tightened", "loosened", "changed", "reordered"]

CONSEQUENCES: tuple[Consequence, ...] = get_args(Consequence)
MEANINGS: Mapping[Consequence, str] = {
    "nothing": "data, model and endpoint stay as they are",
    "revalidate": "the data must be judged again: other rows, or the whole, may keep or break the contract",
    "refit": "values are read or kept differently: what preprocessing was fitted on is no longer so",
    "retrain": "the model's inputs, classes or training rows are others",
    "breaks-clients": "once a model made with the new contract is promoted, requests that were fine are refused",
}


class Change(BaseModel):
    """One difference.

    Attributes:
        path: What changed, such as `columns.carrier.enum` or `table_rules.some_rows.bound`.
        before: The old value as JSON; None where there was none.
        after: The new value as JSON; None where there is none.
        consequence: The dearest thing that follows; it includes those before it in `CONSEQUENCES`, but for what the
            change cannot touch.
        why: One sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    kind: ChangeKind
    before: Any = None
    after: Any = None
    consequence: Consequence
    why: str


def severity(consequence: Consequence) -> int:
    """Return a consequence's place among `CONSEQUENCES`: more is dearer."""
    return CONSEQUENCES.index(consequence)


def appeared(before: Any, after: Any) -> ChangeKind:
    """Return the kind of change of a value that may be None on either side."""
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def as_json(value: Any) -> Any:
    """Return a contract's value as plain JSON values, without what is as by default and without its line."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True, exclude={"line"})
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value
