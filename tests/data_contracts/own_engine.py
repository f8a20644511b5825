"""The library's own pandas engine over a whole frame, and ours over drawn partitions of the same rows."""

from __future__ import annotations

import json
from collections import Counter
from functools import reduce
from itertools import accumulate, pairwise

import great_expectations as gx
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from data_contracts import expectations
from data_contracts.custom import custom_counts, look_again
from data_contracts.measure import measure_partition
from data_contracts.measurements import Measurements, merge
from data_contracts.parsing import ParsedTable, parse_table
from data_contracts.row_rules import broken_rules

# Text as a file would hold it, so that nulls, NaN and what cannot be read come in as they do.
RAW = {
    "string": ["a", "b", "bb", "c1", "2013-01-05", '{"k": 1}', "é", None, "NA"],
    "number": ["-1", "0", "0.5", "1", "2", "7.25", "NaN", "x", None],
    "integer": ["-2", "0", "1", "2", "3", "9", "1.5", None],
    "boolean": ["true", "false", "maybe", None],
    "date": ["2013-01-01", "2013-01-02", "2013-02-01", "never", None],
    "timestamp": ["2013-01-01T00:00:00Z", "2013-01-02T12:30:00Z", "2013-02-01T01:00:00+01:00", "?", None],
}


@pytest.fixture(scope="module")
def whole_frame():
    """Everything needed to hold a whole frame to a suite with the library alone."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas("rows").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("x")


def judged_whole(definition, contract, frame):
    """Return what the library finds by rule."""
    batch = definition.get_batch({"dataframe": frame})
    return by_rule(batch.validate(expectations.build_suite(contract), result_format="BASIC").to_json_dict())


@st.composite
def raw_tables(draw, columns):
    """Draw texts for columns, given by name and logical type."""
    rows = draw(st.integers(4, 30))
    drawn = {
        name: draw(st.lists(st.sampled_from(RAW[kind]), min_size=rows, max_size=rows)) for name, kind in columns.items()
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in drawn.items()})


@st.composite
def orders(draw):
    """Draw how many rows each partition has, the last one the rest, and in which order they are merged."""
    shares = draw(st.lists(st.integers(0, 9), max_size=4))
    return shares, draw(st.permutations(range(len(shares) + 1)))


def measured(raw, contract, shares, order) -> Measurements:
    """Measure partitions, merge them in an order, look again, and read all that from JSON as the next task would."""
    cuts = [min(cut, raw.num_rows) for cut in accumulate(shares, initial=0)] + [raw.num_rows]
    parts = [parse_table(raw.slice(start, end - start), contract) for start, end in pairwise(cuts)]
    each = [
        measure_partition(part, broken_rules(part, contract), contract, custom_counts(part, contract)) for part in parts
    ]
    merged = reduce(merge, [each[position] for position in order])
    complete = look_again(contract, merged, lambda names: [ParsedTable(part.table.select(names), {}) for part in parts])
    return Measurements.model_validate_json(complete.model_dump_json())


def by_rule(document):
    """Return the results of a document by the contract's rule."""
    return {result["expectation_config"]["meta"]["rule"]: result for result in document["results"]}


def plain(value):
    """Return a value by which results of the two are compared: whole numbers are held as floats beside nulls."""
    text = json.dumps(value, default=str, sort_keys=True)
    return json.loads(text, parse_int=float, parse_constant=lambda _: None)


def same(found, own):
    """Tell whether two results agree, floats up to rounding."""
    found, own = plain(found), plain(own)
    if isinstance(found, list) and isinstance(own, list):
        return count(found) == count(own)  # the library lists distinct values in the order of a set
    if isinstance(found, float) and isinstance(own, float):
        return found == pytest.approx(own, rel=1e-9, abs=1e-9)
    return found == own


def count(values):
    """Count values, whatever they are."""
    return Counter(json.dumps(plain(value), sort_keys=True) for value in values)
