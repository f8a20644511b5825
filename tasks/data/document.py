"""Document: a contract's genuine Great Expectations suite and result, and pages of both that need no network.

It takes seconds to import the library, and nothing after it waits for the documents, so it is work of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from data_contracts.contract import Contract
from data_contracts.measurements import Measurements
from tasks.data.outcomes import MEASUREMENTS
from tasks.data_docs.pages import INDEX, render_pages
from tasks.references import DocsRef, ValidationRef
from tasks.storage import DigestName, naming_lost, new_folder, write_atomic, write_json

SUITE, VALIDATION = "suite.json", "validation.json"


def run_document(validation: ValidationRef, contract: Contract, home: Path) -> DocsRef:
    """Write the suite, its result over all rows, and Data Docs, into a folder named by their digest.

    The documents hold no time, place or random id, so the same validation gives the same bytes.

    Args:
        validation: What validation found.
        contract: The rules that it validated by.
        home: The folder that holds `documents/`.

    Raises:
        IntegrityError: The validation's measurements are gone.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    # Great Expectations takes seconds to import, which only this piece of work should have to pay.
    from data_contracts import expectations  # noqa: PLC0415

    measurements, duplicates = read_measurements(validation, contract)
    suite = expectations.suite_document(contract)
    result = expectations.validation_result(contract, measurements, duplicates)
    named = DigestName()
    with new_folder(home / "documents", named) as folder:
        write_json(folder / SUITE, suite)
        write_json(folder / VALIDATION, result)
        pages = render_pages(contract, suite, result, measurements.rows, expectations.sentence)
        for name, page in pages.items():
            write_atomic(folder / name, page.encode())
    failed = result["statistics"]["unsuccessful_expectations"]
    return DocsRef(path=str(home / "documents" / named.digest), digest=named.digest, index=INDEX, failed=failed)


def read_measurements(validation: ValidationRef, contract: Contract) -> tuple[Measurements, Mapping[str, int]]:
    """Read what every rule was judged by, and the duplicates as `expectations.validation_result` takes them.

    Raises:
        IntegrityError: They are gone.
    """
    path = validation.folder / MEASUREMENTS
    with naming_lost(path, "the validation's measurements are"):
        content = json.loads(path.read_bytes())
    # Written through JSON, an infinite sum is a word, which only pydantic's own JSON reader takes for a number.
    measurements = Measurements.model_validate_json(json.dumps(content["measurements"]))
    sharing = {rule.id: content["sharing"][rule.id] for rule in contract.key_rules}
    return measurements, {**content["beyond_first"], **sharing}
