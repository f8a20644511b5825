"""Great Expectations: a genuine suite from a contract, and genuine results that the library judges from our metrics.

The only package that imports the library; importing it takes seconds. The library measures a pandas frame in memory,
so over a dataset of any size it is given metrics merged from measurements, and judges each expectation from those. An
expectation that has no measurement of ours is measured by the library, partition by partition or on gathered values.
"""

import os

# Before the library is imported, which would report to its makers otherwise.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

from data_contracts.expectations.again import look_again
from data_contracts.expectations.partition import measure_custom
from data_contracts.expectations.results import own_results, validation_result
from data_contracts.expectations.sentences import sentence
from data_contracts.expectations.suite import build_suite, known_expectations, suite_document

__all__ = [
    "build_suite",
    "known_expectations",
    "look_again",
    "measure_custom",
    "own_results",
    "sentence",
    "suite_document",
    "validation_result",
]
