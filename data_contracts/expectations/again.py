"""Reading rows a second time, for expectations that need to know the whole before they can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from data_contracts.contract import Contract, ExpectationRule
from data_contracts.executability import GATHERED_VALUES, IN_ORDER, Mode, execution
from data_contracts.expectation_metrics import deviation
from data_contracts.expectation_plan import SCORES, referenced_columns
from data_contracts.expectations.partition import count_frame, judge_frame
from data_contracts.expectations.plain import plain_json
from data_contracts.frames import expectation_frame
from data_contracts.masking import hides, masked_result
from data_contracts.measurements import CustomCounts, Gathered, Measurements, merge_custom
from data_contracts.parsing import ParsedTable


@dataclass
class _Counted:
    """An expectation about rows that is counted in partition after partition, in order."""

    rule: ExpectationRule
    contract: Contract
    seeds: Mapping[str, Any]
    counts: CustomCounts | None = None
    before: pd.DataFrame = field(default_factory=pd.DataFrame)

    def add(self, table: pa.Table) -> None:
        frame = expectation_frame(table.select(referenced_columns(self.rule, self.contract)))
        if self.rule.type in IN_ORDER:
            frame, carried = pd.concat([self.before, frame], ignore_index=True), len(self.before)
            self.before = frame.dropna().tail(1)
        else:
            carried = 0
        if len(frame) == carried:
            return
        found = count_frame(self.rule, frame, self.contract, self.seeds)
        # The value before the partition was counted with its own.
        rows = {**found.counts, "table.row_count": found.counts["table.row_count"] - carried}
        found = found.model_copy(update={"counts": rows})
        self.counts = found if self.counts is None else merge_custom(self.counts, found)


@dataclass
class _Collected:
    """An expectation whose values are gathered, to be judged all at once."""

    rule: ExpectationRule
    contract: Contract
    tables: list[pa.Table] = field(default_factory=list)

    def add(self, table: pa.Table) -> None:
        self.tables.append(table.select(referenced_columns(self.rule, self.contract)))

    def judge(self) -> Gathered:
        if not sum(table.num_rows for table in self.tables):
            return Gathered(success=False, why="there is no row to judge by")
        frame = expectation_frame(pa.concat_tables(self.tables))
        judged = judge_frame(self.rule, frame, self.contract)
        document: Any = judged.to_json_dict()
        result = document["result"]
        if hides(self.rule.kwargs, self.contract):
            result = masked_result(self.rule.type, result)
        return Gathered(success=judged.success, result=plain_json(result))


def look_again(
    contract: Contract, measurements: Measurements, rules: list[ExpectationRule], tables: Iterable[ParsedTable]
) -> Measurements:
    """Complete measurements by what a second look at the rows finds.

    Args:
        contract: The rules.
        measurements: Of all rows.
        rules: The expectations to look again for; see `data_contracts.custom.waiting_rules`.
        tables: All rows in order, with the columns that the rules look at.

    Raises:
        ContractError: An expectation cannot be executed on the data.
    """
    counted: list[_Counted] = []
    collected: list[_Collected] = []
    gathered = {}
    for rule in rules:
        if execution(rule, contract).mode is Mode.PARTITION:
            counted.append(_Counted(rule, contract, _seeds(rule, measurements)))
        elif (values := measurements.rows * len(referenced_columns(rule, contract))) > GATHERED_VALUES:
            gathered[rule.id] = Gathered(success=False, why=_too_many(rule, values))
        else:
            collected.append(_Collected(rule, contract))
    for parsed in tables if counted or collected else ():
        for each in counted:
            each.add(parsed.table)
        for values_of in collected:
            values_of.add(parsed.table)
    gathered |= {each.rule.id: each.judge() for each in collected}
    custom = {each.rule.id: each.counts for each in counted if each.counts is not None}
    return measurements.model_copy(
        update={"custom": {**measurements.custom, **custom}, "gathered": {**measurements.gathered, **gathered}}
    )


def _seeds(rule: ExpectationRule, measurements: Measurements) -> dict[str, Any]:
    if rule.type != SCORES:
        return {}
    moments = measurements.columns[rule.kwargs["column"]].moments
    return {"column.mean": moments.mean if moments else None, "column.standard_deviation": deviation(moments)}


def _too_many(rule: ExpectationRule, values: int) -> str:
    return (
        f"{rule.type} is judged over all values at once, which is done for {GATHERED_VALUES:,} at most (rows times "
        f"columns); these are {values:,}\n  do: say it by an expectation that is judged from merged statistics, such "
        "as a mean or a bound of every value, or hold a sample of the data to it"
    )
