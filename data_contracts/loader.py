"""Loading a contract: an ODCS file becomes a `Contract`, or an error that names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_contracts.contract import Column, Contract, ExpectationRule, RowRule, TableRule
from data_contracts.odcs_columns import compile_column, compile_keys, compile_row_rules
from data_contracts.odcs_file import ContractFile, Location, read_contract_file
from data_contracts.odcs_quality import compile_quality, unique_ids
from data_contracts.odcs_schema import require_odcs


def load_contract(path: str | Path) -> Contract:
    """Load a contract of one table.

    The file must be valid ODCS 3 (JSON schema and official model). Rules are `required`, `unique`, `primaryKey` (whose
    columns are required), `enum`, the options of the logical type, library metrics, and expectations for
    Great Expectations. What only describes (`type: text`, relationships, service levels, ...) is left out.

    Raises:
        ContractError: The file cannot be read, is not valid, or holds a rule that nothing can execute.
    """
    file = read_contract_file(path)
    require_odcs(file)
    place, table = _only_table(file)
    columns, row_rules = _compile_columns(file, place, table)
    keys = compile_keys(file, (*place, "properties"), columns)
    taken = {rule.id for rule in row_rules} | {rule.id for rule in keys}
    quality = list(unique_ids(_compile_quality(file, place, table, columns), taken))
    return Contract(
        name=file.value.get("name") or file.value["id"],
        version=file.value["version"],
        path=str(path),
        digest=file.digest(),
        columns=tuple(columns),
        row_rules=tuple(row_rules),
        key_rules=tuple(keys),
        table_rules=tuple(rule for rule in quality if isinstance(rule, TableRule)),
        expectation_rules=tuple(rule for rule in quality if isinstance(rule, ExpectationRule)),
    )


def _only_table(file: ContractFile) -> tuple[Location, dict[str, Any]]:
    tables = file.value.get("schema") or []
    if len(tables) != 1:
        names = ", ".join(table["name"] for table in tables)
        what = f"expected one schema object, got {len(tables)}" + (f" ({names})" if names else "")
        raise file.error(("schema", 1) if tables else ("schema",), what, do="write one contract for each table")
    if not tables[0].get("properties"):
        raise file.error(("schema", 0), "the schema object has no properties", do="describe its columns")
    return ("schema", 0), tables[0]


def _compile_columns(file: ContractFile, place: Location, table: dict[str, Any]) -> tuple[list[Column], list[RowRule]]:
    columns: dict[str, Column] = {}
    rules: list[RowRule] = []
    for position, data in enumerate(table["properties"]):
        at = (*place, "properties", position)
        column = compile_column(file, at, data)
        if column.name in columns:
            raise file.error((*at, "name"), f"the column {column.name} is described twice")
        columns[column.name] = column
        rules.extend(compile_row_rules(file, at, column))
    return [*columns.values()], rules


def _compile_quality(
    file: ContractFile, place: Location, table: dict[str, Any], columns: list[Column]
) -> list[TableRule | ExpectationRule]:
    rules = list(compile_quality(file, (*place, "quality"), table.get("quality") or (), None, columns))
    for position, data in enumerate(table["properties"]):
        at = (*place, "properties", position, "quality")
        rules.extend(compile_quality(file, at, data.get("quality") or (), columns[position], columns))
    return rules
