"""The pages' HTML. Every value is escaped; only our own style sheets are not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from data_contracts.contract import Contract
from tasks.data_docs.entries import Sentence, asked, by_subject, found
from tasks.report.wording import figure

INDEX, SUITE, RESULT = "index.html", "suite.html", "result.html"


def render_pages(
    contract: Contract, suite: Mapping[str, Any], validation: Mapping[str, Any], rows: int, sentence: Sentence
) -> dict[str, str]:
    """Return the pages by file name; they link to each other, and load nothing.

    Args:
        contract: The rules.
        suite: See `entries.asked`.
        validation: See `entries.found`.
        rows: How many rows were validated.
        sentence: Says what an expectation asks for.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("tasks.data_docs", "."), PackageLoader("tasks.report", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    expectations = asked(suite, sentence)
    results = found(validation, expectations)
    shown = {
        "contract": contract,
        "file": PurePath(contract.path).name,
        "rows": rows,
        "expectations": expectations,
        "groups": by_subject(expectations),
        "results": results,
        "broken": [each for each in results if not each.passed and each.asked.severity != "warning"],
        "warned": [each for each in results if not each.passed and each.asked.severity == "warning"],
        "held": [each for each in results if each.passed],
        "success": validation["success"],
        "version": validation["meta"]["great_expectations_version"],
    }
    return {page: environment.get_template(f"{page}.j2").render(**shown, page=page) for page in (INDEX, SUITE, RESULT)}
