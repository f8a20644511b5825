"""What the data half shows in the Prefect UI."""

from __future__ import annotations

from pipelines import report
from pipelines.artifacts.posting import table
from tasks.data.outcomes import read_counts
from tasks.leakage.check import read_leaks
from tasks.references import DatasetRef, LeakageRef, SplitRef, ValidationRef


def show_validation(validation: ValidationRef) -> None:
    """Show every rule with what it came to, and why rows are in quarantine, if any are."""
    rows = [
        {
            "rule": rule.id,
            "expected": rule.expected,
            "observed": rule.observed,
            "passed": "yes" if rule.passed else "NO",
            "examples": ", ".join(rule.examples),
        }
        for rule in sorted(report.rules(validation), key=lambda rule: rule.passed)
    ]
    table(rows, key="validation", description="Every rule of the contract, judged over every row")
    quarantined = read_counts(validation).quarantined
    reasons = [{"rule": rule, "rows": f"{count:,}"} for rule, count in quarantined.items()]
    if reasons:
        table(reasons, key="quarantine-reasons", description="Rows in quarantine by the rule that each broke")


def show_accounting(clean: DatasetRef, split: SplitRef) -> None:
    """Show where every row went."""
    counted = report.accounting(clean, split)
    lines = {
        "rows in": counted.rows_in,
        "quarantined": counted.in_quarantine,
        **counted.left_out,
        **counted.splits,
    }
    rows = [{"where": where, "rows": f"{count:,}"} for where, count in lines.items()]
    table(rows, key="row-accounting", description="Every row that came in, and where it went")


def show_leaks(leaks: LeakageRef) -> None:
    """Show the leaks that were found, those that the config accepts included, and what else there is to say."""
    found = read_leaks(leaks)
    rows = [{"finding": each.name, "what": each.what} for each in found.findings]
    rows += [{"finding": "note", "what": note} for note in found.notes]
    none = [{"finding": "none", "what": f"{found.rows:,} rows were looked at"}]
    table(rows or none, key="leakage", description="What training must not be told")
