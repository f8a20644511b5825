"""What the pages show of each expectation, taken from genuine Great Expectations documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.report.wording import figure, share

Words = Sequence[tuple[str, bool]]
Sentence = Callable[[str, Mapping[str, Any]], Words]

_EXAMPLES = 20
_LONGEST = 120
_SHOWN = 400
_TABLE = "the whole table"
_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Asked:
    """One expectation of a suite.

    Attributes:
        anchor: Its fragment on both pages, unique in the suite.
        rule: The contract's rule that it stands for.
        line: The rule's line in the contract.
        kind: Its registered type.
        subject: The columns it looks at, or the whole table.
        words: What it asks for: texts, each with whether it is an argument.
        arguments: Names and values as JSON.
    """

    anchor: str
    rule: str
    line: int | None
    kind: str
    severity: str
    subject: str
    words: Words
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    """What one expectation came to.

    Attributes:
        observed: The compared value, or how many values are unexpected, in words.
        percent: Unexpected values among those that are there, 0 to 100; None where values are not counted.
        missing: How many values are not there, in words; empty where none is missing.
        examples: At most twenty unexpected values.
        failure: Why it could not be judged; empty where it was.
    """

    asked: Asked
    passed: bool
    observed: str
    percent: float | None
    missing: str
    examples: tuple[str, ...]
    failure: str


def asked(suite: Mapping[str, Any], sentence: Sentence) -> list[Asked]:
    """Return the expectations of a suite document, in its order.

    Args:
        suite: What `data_contracts.expectations.suite_document` returned.
        sentence: `data_contracts.expectations.sentence`.
    """
    taken: set[str] = set()
    return [_asked(expectation, sentence, taken) for expectation in suite["expectations"]]


def by_subject(suite: Sequence[Asked]) -> list[tuple[str, list[Asked]]]:
    """Group expectations by what they look at, in the order in which the suite first names it."""
    groups: dict[str, list[Asked]] = {}
    for each in suite:
        groups.setdefault(each.subject, []).append(each)
    return list(groups.items())


def found(validation: Mapping[str, Any], suite: Sequence[Asked]) -> list[Found]:
    """Return what the expectations came to: failed errors first, then failed warnings, then what holds.

    Args:
        validation: What `data_contracts.expectations.validation_result` returned.
        suite: The expectations of the same contract.
    """
    by_rule = {each.rule: each for each in suite}
    results = [_found(result, by_rule[_meta(result)["rule"]]) for result in validation["results"]]
    return sorted(results, key=lambda each: (each.passed, each.asked.severity == "warning"))


def _meta(result: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = result["expectation_config"]["meta"]
    return meta


def _asked(expectation: Mapping[str, Any], sentence: Sentence, taken: set[str]) -> Asked:
    kwargs, meta = expectation["kwargs"], expectation["meta"]
    named = [kwargs.get(key) for key in ("column", "column_A", "column_B")]
    columns = [*(name for name in named if name), *(kwargs.get("columns") or kwargs.get("column_list") or ())]
    anchor = slug = _ODD.sub("-", meta["rule"])
    number = 1
    while anchor in taken:
        number += 1
        anchor = f"{slug}-{number}"
    taken.add(anchor)
    shown = {key: value for key, value in kwargs.items() if value is not None and key != "column"}
    return Asked(
        anchor=anchor,
        rule=meta["rule"],
        line=meta.get("line"),
        kind=expectation["type"],
        severity=str(expectation.get("severity") or "critical"),
        subject=", ".join(map(str, columns)) or _TABLE,
        words=sentence(expectation["type"], kwargs),
        arguments=tuple((key, _shorten(_written(value), _SHOWN)) for key, value in shown.items()),
    )


def _found(result: Mapping[str, Any], expectation: Asked) -> Found:
    details = result["result"]
    unexpected, elements = details.get("unexpected_count"), details.get("element_count") or 0
    missing = details.get("missing_count") or 0
    there = elements - missing
    if unexpected is not None and not elements:
        observed = f"{unexpected:,} values are unexpected"
    elif unexpected == 0:
        observed = f"all {there:,} values are as expected"
    elif unexpected is not None:
        observed = f"{unexpected:,} of {there:,} values ({share(unexpected, there)}) are unexpected"
    else:
        observed = _observed(details.get("observed_value"))
    return Found(
        asked=expectation,
        passed=bool(result["success"]),
        observed=observed,
        percent=None if unexpected is None or not there else 100 * unexpected / there,
        missing=f"{missing:,} of {elements:,} values ({share(missing, elements)}) are missing" if missing else "",
        examples=tuple(_example(value) for value in (details.get("partial_unexpected_list") or ())[:_EXAMPLES]),
        failure=str((result.get("exception_info") or {}).get("exception_message") or ""),
    )


def _observed(value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"quantiles", "values"}:
        pairs = zip(value["quantiles"], value["values"], strict=False)
        return "; ".join(f"{quantile}: {figure(found)}" for quantile, found in pairs)
    if isinstance(value, list):
        return _shorten(", ".join(map(_written, value)), _SHOWN)
    if isinstance(value, Mapping):
        return _shorten(_written(value), _SHOWN)
    return _shorten(figure(value), _SHOWN)


def _example(value: Any) -> str:
    return _shorten("null" if value is None else value if isinstance(value, str) else _written(value), _LONGEST)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
