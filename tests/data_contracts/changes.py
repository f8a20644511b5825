"""Contracts of few columns, and the one change between two of them."""

from __future__ import annotations

from typing import Any

from data_contracts.contract import Column, Contract
from data_contracts.diff import Use, diff
from data_contracts.diff_change import Change


def contract_with(*columns: Column) -> Contract:
    return Contract(name="small", version="1", path="small.odcs.yaml", digest="0" * 64, columns=columns)


def only_change(
    old: dict[str, Any], new: dict[str, Any], logical_type: str = "string", use: Use | None = None
) -> Change:
    """The only change of a column whose fields are these."""
    pair = (contract_with(Column(name="a", logical_type=logical_type, **fields)) for fields in (old, new))
    (change,) = diff(*pair, use)
    return change
