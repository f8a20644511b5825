"""Two versions of a contract compared: every change, and the dearest thing that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from pydantic import BaseModel, ConfigDict

from data_contracts.contract import Column, Contract, RowRule
from data_contracts.diff_change import CONSEQUENCES, Change, Consequence, as_json, severity
from data_contracts.diff_columns import COLUMN_IDENTITY, column_changes, rule_kind
from data_contracts.diff_rules import key_rule_changes, rule_change, whole_rule_changes

# What says where a contract stands rather than what it says; the digest follows from the rest.
CONTRACT_IDENTITY = frozenset({"path", "digest"})
# Each is compared by functions of its own.
CONTRACT_PARTS = frozenset({"columns", "row_rules", "key_rules", "table_rules", "expectation_rules"})
CONTRACT_WORDS = frozenset({"name", "version"})

_ADDED = (
    "the data must have the column; a model uses it unless preprocess.exclude names it, and then requests must send it"
)
_ADDED_USED = "the model is made with the column, and the endpoint refuses requests that do not send it"
_REMOVED = "a model is made without the column, and the endpoint refuses inputs that it does not know"
_ORDER = "features stand in the contract's order, so a model's inputs are in another order; requests go by name"
# Of a column that only describes itself differently, it may still be the same one under another name.
_OWN_WORDS = frozenset({"description", "examples"})
_ALIKE = 0.5


class Use(BaseModel):
    """What a pipeline makes of the columns.

    Attributes:
        targets: The columns to predict, which no request sends.
        include: The columns that features are made of; all but the targets and the excluded ones by default.
        exclude: Columns that no feature is made of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: tuple[str, ...]
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()

    def is_feature(self, name: str) -> bool:
        """Tell whether features are made of a column."""
        return name not in self.targets and name not in self.exclude and (self.include is None or name in self.include)


def diff(old: Contract, new: Contract, use: Use | None = None) -> tuple[Change, ...]:
    """Compare two versions of a contract.

    A consequence is what a change can mean at worst, as far as the contract says. Without `use` every column is taken
    for one that a model may use, and none for the target.

    Args:
        old: The contract before.
        new: The contract after.
        use: What the pipeline makes of the columns, where it is known.

    Returns:
        Every change, the dearest consequence first, then in the order of the contract.
    """
    changes = [*_words(old, new), *_columns(old, new, use), *_row_rules(old, new, use)]
    changes += [*key_rule_changes(old, new), *whole_rule_changes(old, new)]
    return tuple(sorted(changes, key=lambda change: -severity(change.consequence)))


def worst(changes: Iterable[Change]) -> Consequence:
    """Return the dearest consequence of some changes; nothing where there are none."""
    return max((change.consequence for change in changes), key=severity, default=CONSEQUENCES[0])


def _words(old: Contract, new: Contract) -> Iterator[Change]:
    for field in Contract.model_fields:
        before, after = getattr(old, field), getattr(new, field)
        if field in CONTRACT_IDENTITY | CONTRACT_PARTS or before == after:
            continue
        known = field in CONTRACT_WORDS
        why = "it only names the contract" if known else "something is said of the data that was not"
        yield Change(
            path=field,
            kind="changed",
            before=as_json(before),
            after=as_json(after),
            consequence="nothing" if known else "refit",
            why=why,
        )


def _columns(old: Contract, new: Contract, use: Use | None) -> Iterator[Change]:
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    renamed = _renamed(old.columns, new.columns)
    for name, column in before.items():
        if name in after:
            found = column_changes(f"columns.{name}", column, after[name])
            yield from (_as_used(change, name, use) for change in found)
        elif name in renamed:
            yield _as_used(_rename(column, after[renamed[name]]), name, use)
        else:
            path = f"columns.{name}"
            change = Change(
                path=path, kind="removed", before=as_json(column), consequence="breaks-clients", why=_REMOVED
            )
            yield _as_used(change, name, use)
    for name, column in after.items():
        if name not in before and name not in renamed.values():
            used = use is not None and use.is_feature(name)
            change = Change(
                path=f"columns.{name}",
                kind="added",
                after=as_json(column),
                consequence="breaks-clients" if used else "retrain",
                why=_ADDED_USED if used else _ADDED,
            )
            yield _as_used(change, name, use)
    yield from _order([renamed.get(name, name) for name in before], list(after))


def _order(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    kept, now = [name for name in before if name in after], [name for name in after if name in before]
    if kept != now:
        yield Change(path="columns", kind="reordered", before=kept, after=now, consequence="retrain", why=_ORDER)


def _rename(old: Column, new: Column) -> Change:
    return Change(
        path=f"columns.{old.name}",
        kind="renamed",
        before=old.name,
        after=new.name,
        consequence="breaks-clients",
        why=f"`{new.name}` says the same as `{old.name}` did, so it looks like a new name; requests send the old one",
    )


def _renamed(old: Sequence[Column], new: Sequence[Column]) -> dict[str, str]:
    """Guess which removed column lives on under which new name: of the same shape, and alike in words or in place."""
    names = {column.name for column in old}, {column.name for column in new}
    free = {column.name: (place, column) for place, column in enumerate(new) if column.name not in names[0]}
    found: dict[str, str] = {}
    for place, column in enumerate(old):
        if column.name in names[1]:
            continue
        alike = [
            (place == other_place, SequenceMatcher(None, column.name, name).ratio(), name)
            for name, (other_place, other) in free.items()
            if _shape(column) == _shape(other)
        ]
        same_place, likeness, name = max(alike, default=(False, 0.0, ""))
        same_words = bool(name) and column.description is not None and column.description == free[name][1].description
        if same_place or likeness >= _ALIKE or same_words:
            found[column.name] = name
            del free[name]
    return found


def _shape(column: Column) -> Mapping[str, object]:
    return column.model_dump(mode="json", exclude=set(COLUMN_IDENTITY | _OWN_WORDS))


def _row_rules(old: Contract, new: Contract, use: Use | None) -> Iterator[Change]:
    """Yield the changes of row rules that the columns do not explain."""
    before = {(rule.column, rule.kind): rule for rule in old.row_rules}
    after = {(rule.column, rule.kind): rule for rule in new.row_rules}
    columns = {column.name: column for column in old.columns}, {column.name: column for column in new.columns}
    for name, kind in dict.fromkeys((*before, *after)):
        if name not in columns[0] or name not in columns[1] or kind == "type":
            continue
        pair = columns[0][name], columns[1][name]
        was, becomes = (_argument(rules.get((name, kind))) for rules in (before, after))
        if was != becomes and _said(pair[0], kind) == _said(pair[1], kind):
            yield _as_used(rule_change(f"row_rules.{name}.{kind}", kind, was, becomes, pair), name, use)


def _argument(rule: RowRule | None) -> object:
    if rule is None:
        return None
    return rule.kind if rule.argument is None else rule.argument


def _said(column: Column, kind: str) -> object:
    """Return what a column itself says about a kind of rule."""
    if kind in {"required", "enum"}:
        return getattr(column, kind)
    return next((value for option, value in column.options.items() if rule_kind(option) == kind), None)


def _as_used(change: Change, name: str, use: Use | None) -> Change:
    """Weigh a change of a column by what the pipeline makes of the column."""
    if use is None or use.is_feature(name) or change.consequence == "nothing":
        return change
    if name in use.targets:
        if change.consequence == "revalidate":
            return change
        why = f"{change.why}; it is the target, which no request sends: the classes or the rows to learn from change"
        return change.model_copy(update={"consequence": "retrain", "why": why})
    if change.path.endswith(".primary_key_position"):
        return change
    why = f"{change.why}; no feature is made of the column, so only the data is judged differently"
    return change.model_copy(update={"consequence": "revalidate", "why": why})
