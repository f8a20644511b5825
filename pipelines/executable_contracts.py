"""Contracts whose own expectations were found executable, so that the trial, which takes seconds, is made once.

The trial imports Great Expectations and depends on nothing but the contract and the code. Only what passed is kept:
a contract with a mistake is tried again each time, for its message.
"""

from __future__ import annotations

import os
from pathlib import Path

from data_contracts.contract import Contract
from data_contracts.errors import ContractError
from pipelines.code_version import code_version
from pipelines.environment import results_folder
from tasks.storage import digest_of, write_atomic

_FOLDER = "executable"


def require_executable(contract: Contract) -> None:
    """Check that each expectation that is written in a contract can be executed.

    Raises:
        ContractError: One cannot; the message gives its line, and why.
    """
    if not contract.expectation_rules or (known := _record(contract)).exists():
        return
    # A contract without expectations of its own does not need Great Expectations here.
    from data_contracts.trial import inexecutable_rules  # noqa: PLC0415

    found = inexecutable_rules(contract)
    if found:
        raise ContractError("\n".join(f"{contract.path}:{rule.line}: rule {rule.id}: {why}" for rule, why in found))
    # `headrace check` makes no home, and may look at that of somebody else.
    if os.access(known.parents[1], os.W_OK):
        write_atomic(known, b"")


def _record(contract: Contract) -> Path:
    tried = {"contract": contract.digest, "code": code_version("data_contracts.trial")}
    return results_folder().parent / _FOLDER / digest_of(tried)
