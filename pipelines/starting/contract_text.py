"""The text of a contract: ODCS, with what was seen in a comment beside each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_contracts.contract import Column
from pipelines.starting.yaml_text import flow, noted, remark, scalar
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.rules import ColumnRules

_WRAPPED = 100


@dataclass(frozen=True)
class ContractPlan:
    """What a contract is to say.

    Attributes:
        source: The data's place, as the user wrote it.
        columns: Each with its rules, in the source's order.
        key: The primary key's column.
        personal: What personal data a column seems to hold, by column.
        left_out: Types of the columns that no contract can describe, by column.
    """

    name: str
    source: str
    format: str
    rows: int
    columns: Sequence[tuple[ColumnFacts, ColumnRules]]
    key: str | None
    personal: Mapping[str, str]
    left_out: Mapping[str, str]


def contract_text(plan: ContractPlan) -> str:
    """Return the contract as YAML."""
    return (
        "\n".join([*_head(plan), *(line for facts, rules in plan.columns for line in _property(facts, rules, plan))])
        + "\n"
    )


def _head(plan: ContractPlan) -> Iterator[str]:
    yield remark(f"The contract of {plan.name}: what `headrace init` found in {plan.source} ({plan.rows:,} rows).")
    yield "# Every rule held on that data. Tighten what is too loose, and say in descriptions what only people know."
    for name, kind in plan.left_out.items():
        yield remark(f"Left out: {scalar(name)}, whose type {kind} no contract can describe.")
    yield from ("apiVersion: v3.2.0", "kind: DataContract", f"id: {scalar(plan.name)}", f"name: {scalar(plan.name)}")
    yield from ("version: 0.1.0", "status: draft", "schema:", f"  - name: {scalar(plan.name)}")
    yield f"    physicalType: {plan.format}"
    yield "    quality:"
    yield "      - id: enough_rows"
    yield "        metric: rowCount"
    least = plan.rows // 2
    yield noted(
        f"        mustBeGreaterThan: {least}", f"half of the {plan.rows:,} rows there were; fewer were lost on the way"
    )
    yield "    properties:"


def _property(facts: ColumnFacts, rules: ColumnRules, plan: ContractPlan) -> Iterator[str]:
    name = facts.name
    yield noted(f"      - name: {scalar(name)}", "; ".join(_seen(facts, rules, plan)))
    yield f"        logicalType: {facts.kind}"
    if facts.arrow != "string" or facts.kind == "string":
        yield f"        physicalType: {scalar(facts.arrow)}"
    if name in plan.personal:
        yield noted(
            "        classification: restricted", f"likely {plan.personal[name]}; its values are not shown in reports"
        )
    if rules.required:
        yield "        required: true"
    if name == plan.key:
        yield noted("        primaryKey: true", "every row has another value")
        yield "        primaryKeyPosition: 1"
    if rules.enum:
        yield from _listed("        enum: ", [{"value": value} for value in rules.enum])
    if rules.options:
        yield f"        logicalTypeOptions: {flow(rules.options)}"
    yield from _custom(facts.column)
    if rules.most_nulls is not None:
        yield "        quality:"
        share = 100 * facts.nulls / facts.rows
        yield noted(
            f"          - {{metric: nullValues, unit: percent, mustBeLessOrEqualTo: {rules.most_nulls}}}",
            f"{share:.2g} %",
        )


def _seen(facts: ColumnFacts, rules: ColumnRules, plan: ContractPlan) -> Iterator[str]:
    if facts.name not in plan.personal and rules.why:
        yield rules.why
    yield from facts.assumed
    yield from facts.doubts


def _custom(column: Column) -> Iterator[str]:
    repair = column.repair
    said: dict[str, Any] = {}
    if repair.null_markers is not None:
        said["nullMarkers"] = list(repair.null_markers)
    if repair.thousands_separator is not None:
        said["thousandsSeparator"] = repair.thousands_separator
    if repair.decimal_separator is not None:
        said["decimalSeparator"] = repair.decimal_separator
    if repair.formats:
        said["formats"] = list(repair.formats)
    if said:
        yield "        customProperties:"
        for name, value in said.items():
            yield from _listed("          - ", {"property": name, "value": value})


def _listed(head: str, value: Any) -> Iterator[str]:
    """Yield a value behind its key on one line, or over several where it is long."""
    if not isinstance(value, list) or len(head) + len(flow(value)) <= _WRAPPED:
        yield head + flow(value)
        return
    yield head.rstrip()
    indent = " " * (len(head) - len(head.lstrip()) + 2)
    for each in value:
        yield f"{indent}- {flow(each)}"
