"""What validation came to: counts and outcomes on disk, and whether a run may go on with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from data_contracts.contract import Contract
from data_contracts.errors import ContractBrokenError
from data_contracts.judge import RuleOutcome
from tasks.data.duplicates import KeepKey
from tasks.data.quarantine import QUARANTINE
from tasks.references import ValidationRef

OUTCOMES, COUNTS, MEASUREMENTS = "outcomes.json", "counts.json", "measurements.json"

_SHOWN = 5


class ValidateConfig(BaseModel):
    """How much of the data may break the contract.

    Attributes:
        max_quarantined: The greatest share of quarantined rows with which a run goes on.
        same_key: Of rows that share a key but not their content, which content stays: the first row's, the last one's,
            or none; rows of other content are quarantined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_quarantined: float = Field(default=0.05, ge=0, le=1)
    # Not `keys`: Prefect makes a dict of a config, and takes a field of that name for the method.
    same_key: KeepKey = "none"


class ValidationCounts(BaseModel):
    """The content of `counts.json`.

    Attributes:
        rows: Rows of the source, broken CSV rows included.
        quarantined: Rows by the id of the rule that each is quarantined for, `csv.broken_row` and key rules included.
        duplicates: Rows that equal an earlier one and are not quarantined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: NonNegativeInt
    quarantined: Mapping[str, NonNegativeInt]
    duplicates: NonNegativeInt


def read_counts(validation: ValidationRef) -> ValidationCounts:
    """Read how many rows validation quarantined for which rule."""
    return ValidationCounts.model_validate_json((validation.folder / COUNTS).read_bytes())


def require_kept(validation: ValidationRef, contract: Contract, config: ValidateConfig) -> None:
    """Stop a run whose data broke its contract too badly to go on with.

    Raises:
        ContractBrokenError: No row is kept, more than `max_quarantined` of the rows are in quarantine, or a rule of the
            whole table with severity `error` is broken. The quarantine stays to be looked at.
    """
    outcomes = read_outcomes(validation)
    by_row = {rule.id for rule in contract.row_rules} | {rule.id for rule in contract.key_rules}
    broken = [each for each in outcomes if not each.passed and each.severity == "error" and each.id not in by_row]
    reasons = [
        f"{rule.id} ({_place(contract, rule)}): expected {rule.expected}, got {_got(rule)}{_examples(rule)}"
        for rule in broken[:_SHOWN]
    ]
    share = validation.quarantined / validation.rows if validation.rows else 1.0
    if not validation.kept or share > config.max_quarantined:
        reasons.insert(
            0,
            f"{validation.quarantined:,} of {validation.rows:,} rows ({share:.1%}) are in quarantine, "
            f"at most {config.max_quarantined:.1%} may be: {_reasons(validation, outcomes)}",
        )
    if reasons:
        lines = "".join(f"\n  - {reason}" for reason in reasons)
        raise ContractBrokenError(
            f"the data broke contract {contract.name} {contract.version} ({contract.path}):{lines}\n"
            f"  do: look at the rows in {validation.folder / QUARANTINE}, then mend the data or the contract"
        )


def _place(contract: Contract, rule: RuleOutcome) -> str:
    place = contract.path if rule.line is None else f"{contract.path}:{rule.line}"
    return f"{', '.join(rule.columns)}, {place}" if rule.columns else place


def _got(rule: RuleOutcome) -> str:
    return str(rule.observed) if rule.observed is not None else f"{rule.broken} broken"


def _examples(rule: RuleOutcome) -> str:
    return f", for example {', '.join(rule.examples[:_SHOWN])}" if rule.examples else ""


def _reasons(validation: ValidationRef, outcomes: Sequence[RuleOutcome]) -> str:
    """Name the rules that quarantined most rows, with examples."""
    known = {outcome.id: outcome for outcome in outcomes}
    counts = Counter(read_counts(validation).quarantined)
    return "; ".join(
        f"{rule} {rows:,} rows" + (_examples(known[rule]) if rule in known else "")
        for rule, rows in counts.most_common(_SHOWN)
    )


def read_outcomes(validation: ValidationRef) -> tuple[RuleOutcome, ...]:
    """Read what every rule came to."""
    content = (validation.folder / OUTCOMES).read_bytes()
    return tuple(RuleOutcome.model_validate(outcome) for outcome in json.loads(content))
