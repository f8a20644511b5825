"""Findings of the target in disguise: features that alone tell a class, a label or a number."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.leakage.disguise import LEAST_ROWS, Judge, RowSample, Separation
from tasks.leakage.disguise_numbers import NumberJudge
from tasks.leakage.findings import Finding, Kind, rounded
from tasks.leakage.plan import LeakagePlan


def disguised(sample: RowSample, plan: LeakagePlan) -> tuple[list[Finding], list[str]]:
    """Return the features that alone tell the target, and notes of what could not be judged.

    Of several labels the one that a feature tells best is named.
    """
    judges: dict[str, Judge | NumberJudge] = {}
    notes = []
    for name, values in sample.targets.items():
        judge = NumberJudge(sample.train, values) if plan.number else Judge(sample.train, values)
        if judge.can_judge:
            judges[name] = judge
        else:
            of_label = f" for `{name}`" if len(sample.targets) > 1 else ""
            notes.append(f"target-in-disguise was not judged{of_label}: {_why_not(plan)}")
    findings = []
    for feature in plan.features:
        told = {name: judge.judge(sample.features[feature]) for name, judge in judges.items()}
        found = _finding(feature, told, plan, len(sample.train))
        findings += [] if found is None else [found]
    return findings, notes


def _finding(feature: str, told: Mapping[str, Separation], plan: LeakagePlan, rows: int) -> Finding | None:
    threshold = plan.r2 if plan.number else plan.auc
    nulls = {name: each.null for name, each in told.items() if each.null is not None and each.null >= threshold}
    values = {name: each.feature for name, each in told.items() if each.feature >= threshold}
    if not nulls and not values:
        return None
    kind: Kind = "target-in-nulls" if nulls else "target-in-disguise"
    measures = nulls or values
    target = max(measures, key=lambda name: measures[name])
    said = f"whether `{feature}` is null" if nulls else f"`{feature}`"
    told_by = f"with a ROC-AUC of {measures[target]:.3f}"
    if plan.number:
        told_by = f"so far that it explains {measures[target]:.1%} of the variance of its ranks"
    return Finding(
        name=f"{kind}:{feature}",
        kind=kind,
        columns=(feature, target),
        measure=rounded(measures[target]),
        threshold=threshold,
        rows=rows,
        exact=False,
        what=f"{said} alone tells `{target}` {told_by} on validation rows",
    )


def _why_not(plan: LeakagePlan) -> str:
    if plan.number:
        return f"fewer than {2 * LEAST_ROWS} validation rows, or all the same"
    return f"fewer than {LEAST_ROWS} validation rows of every class, or of the rest"
