"""Rules compared: is the new one tighter, looser, or just another, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from data_contracts.contract import Column, Contract, ExpectationRule, KeyRule, TableRule
from data_contracts.diff_change import Change, Consequence, appeared, as_json
from data_contracts.formats import DOCUMENTING_FORMATS, number_range
from data_contracts.scalars import arrow_value

Direction = Literal["tightened", "loosened", "changed"]

_TIGHTER = "values that were allowed are not: rows go to quarantine, and the endpoint refuses requests that hold them"
_LOOSER = "values that were refused are allowed: rows leave quarantine; every request that was fine still is"
_OTHER = "neither rule contains the other for certain, so values that were allowed may not be"
_WHOLE = "the dataset as a whole is judged differently; no row and no request is"
# What says where a rule stands and how it is called, not what it demands.
_PLACES = frozenset({"id", "line"})


def rule_change(path: str, rule: str, before: Any, after: Any, columns: tuple[Column, Column]) -> Change:
    """Return the change of one row rule of one column.

    Args:
        path: Where it stands.
        rule: Its kind (`RowRuleKind`).
        before: The old argument; None without the rule.
        after: The new one.
        columns: The column, old and new, whose types say how arguments compare.
    """
    if before is None or after is None:
        direction: Direction = "tightened" if before is None else "loosened"
    else:
        direction = _DIRECTIONS.get(rule, _unknown)(before, after, columns)
    consequence: Consequence = "revalidate" if direction == "loosened" else "breaks-clients"
    why = {"tightened": _TIGHTER, "loosened": _LOOSER, "changed": _OTHER}[direction]
    if rule == "format" and {before, after} - {None} <= DOCUMENTING_FORMATS:
        direction, consequence, why = "changed", "nothing", "the format only tells people what the text is"
    elif rule == "enum" and direction == "loosened":
        consequence, why = "refit", f"{_LOOSER}; a value that fitting has not seen counts as unseen until then"
    return Change(
        path=path, kind=direction, before=as_json(before), after=as_json(after), consequence=consequence, why=why
    )


def key_rule_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Yield the changes of the keys; a key is known by its columns."""
    before = {frozenset(rule.columns): rule for rule in old.key_rules}
    after = {frozenset(rule.columns): rule for rule in new.key_rules}
    for columns in sorted(before.keys() | after.keys(), key=sorted):
        rules: tuple[KeyRule | None, KeyRule | None] = before.get(columns), after.get(columns)
        path = f"key_rules.{'+'.join(sorted(columns))}"
        if rules[0] is None or rules[1] is None:
            why = "rows that share the key with other content "
            why += "go to quarantine now" if rules[0] is None else "are kept now"
            kind = "tightened" if rules[0] is None else "loosened"
            yield Change(
                path=path,
                kind=kind,
                before=as_json(rules[0]),
                after=as_json(rules[1]),
                consequence="revalidate",
                why=f"{why}; the endpoint sees one request at a time",
            )
        elif rules[0].columns != rules[1].columns:
            yield _nothing(f"{path}.columns", rules[0].columns, rules[1].columns, "a key's columns have no order here")
        elif rules[0].id != rules[1].id:
            yield _nothing(f"{path}.id", rules[0].id, rules[1].id, _CALLED)


def whole_rule_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Yield the changes of table rules and of expectations, which are known by their ids."""
    pairs: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("table_rules", _by_id(old.table_rules), _by_id(new.table_rules)),
        ("expectation_rules", _by_id(old.expectation_rules), _by_id(new.expectation_rules)),
    )
    for section, before, after in pairs:
        renamed = dict(_renamed(before, after))
        for name in (*before, *(each for each in after if each not in before)):
            if name in renamed:
                yield _nothing(f"{section}.{name}.id", name, renamed[name], _CALLED)
            elif name not in renamed.values():
                yield from _whole_rule(f"{section}.{name}", before.get(name), after.get(name))


_CALLED = "only the rule's name in results is another"


def _whole_rule(path: str, before: Any, after: Any) -> Iterator[Change]:
    if before is None or after is None:
        yield Change(
            path=path,
            kind=appeared(before, after),
            before=as_json(before),
            after=as_json(after),
            consequence="revalidate",
            why=_WHOLE,
        )
        return
    for field in sorted(type(before).model_fields.keys() - _PLACES):
        was, becomes = getattr(before, field), getattr(after, field)
        if was != becomes:
            yield Change(
                path=f"{path}.{field}",
                kind=_severity_kind(was, becomes) if field == "severity" else "changed",
                before=as_json(was),
                after=as_json(becomes),
                consequence="revalidate",
                why=_WHOLE,
            )


def _severity_kind(before: str, after: str) -> Direction:
    return "tightened" if (before, after) == ("warning", "error") else "loosened"


def _by_id(rules: tuple[TableRule, ...] | tuple[ExpectationRule, ...]) -> dict[str, TableRule | ExpectationRule]:
    return {rule.id: rule for rule in rules}


def _renamed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the ids, old and new, of rules that are the same but for their id; each is taken once."""
    free = [name for name in after if name not in before]
    for name, rule in before.items():
        if name in after:
            continue
        same = (other for other in free if _content(after[other]) == _content(rule))
        found = next(same, None)
        if found is not None:
            free.remove(found)
            yield name, found


def _content(rule: TableRule | ExpectationRule) -> dict[str, Any]:
    return rule.model_dump(exclude=set(_PLACES))


def _nothing(path: str, before: Any, after: Any, why: str) -> Change:
    return Change(
        path=path, kind="changed", before=as_json(before), after=as_json(after), consequence="nothing", why=why
    )


def _unknown(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:  # noqa: ARG001
    return "changed"


def _lower(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:
    return "tightened" if _comparable(after, columns[1]) > _comparable(before, columns[0]) else "loosened"


def _upper(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:
    return "tightened" if _comparable(after, columns[1]) < _comparable(before, columns[0]) else "loosened"


def _comparable(value: Any, column: Column) -> Any:
    return arrow_value(value, column).as_py() if isinstance(value, str) else value


def _multiple(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:  # noqa: ARG001
    if after % before == 0:
        return "tightened"
    return "loosened" if before % after == 0 else "changed"


def _members(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:  # noqa: ARG001
    if set(before) > set(after):
        return "tightened"
    return "loosened" if set(before) < set(after) else "changed"


def _format(before: Any, after: Any, columns: tuple[Column, Column]) -> Direction:
    if after in DOCUMENTING_FORMATS:
        return "loosened"
    if "string" in {column.logical_type for column in columns}:
        return "tightened" if before in DOCUMENTING_FORMATS else "changed"
    (least, greatest), (new_least, new_greatest) = number_range(before), number_range(after)
    if new_least >= least and new_greatest <= greatest:
        return "tightened"
    return "loosened" if new_least <= least and new_greatest >= greatest else "changed"


_DIRECTIONS: Mapping[str, Callable[[Any, Any, tuple[Column, Column]], Direction]] = {
    "minimum": _lower,
    "exclusive_minimum": _lower,
    "min_length": _lower,
    "maximum": _upper,
    "exclusive_maximum": _upper,
    "max_length": _upper,
    "multiple_of": _multiple,
    "enum": _members,
    "format": _format,
}
