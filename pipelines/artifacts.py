"""What a run shows in the Prefect UI: tables, and plots as images inside markdown, the one form that renders there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from pipelines import report, report_groups
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.data.outcomes import read_counts
from tasks.evaluation.evaluate import read_curves, read_metrics
from tasks.export.verify import read_certificate
from tasks.leakage.check import read_leaks
from tasks.promotion.promote import Promotion
from tasks.references import (
    CertificateRef,
    CheckpointRef,
    CrossValidationRef,
    DatasetRef,
    DocsRef,
    EvaluationRef,
    ExplanationRef,
    LeakageRef,
    SlicesRef,
    SplitRef,
    ValidationRef,
)
from tasks.report import class_plots, groups, number_plots, plots
from tasks.report.svg import as_data_uri


def show_validation(validation: ValidationRef) -> None:
    """Show every rule with what it came to, and why rows are in quarantine."""
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
    create_table_artifact(rows, key="validation", description="Every rule of the contract, judged over every row")
    quarantined = read_counts(validation).quarantined
    reasons = [{"rule": rule, "rows": f"{count:,}"} for rule, count in quarantined.items()]
    create_table_artifact(
        reasons or [{"rule": "none", "rows": "0"}],
        key="quarantine-reasons",
        description="Rows in quarantine by the rule that each broke",
    )


def show_documents(documents: DocsRef, page: Path) -> None:
    """Show where Data Docs lie, and whether every expectation holds."""
    holds = f"{documents.failed} expectations do not hold" if documents.failed else "every expectation holds"
    _markdown("data-docs", "Great Expectations Data Docs", f"**{holds}**\n\n[Data Docs]({page.as_uri()})\n\n`{page}`")


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
    create_table_artifact(rows, key="row-accounting", description="Every row that came in, and where it went")


def show_training(checkpoint: CheckpointRef) -> None:
    """Show the loss curves."""
    history = report.history(checkpoint)
    picture = plots.loss_curves(history.training, history.validation, history.best_step, history.metric)
    _markdown("loss-curves", "Loss by training step", _image("loss curves", picture))


def show_cross_validation(cross_validation: CrossValidationRef) -> None:
    """Show every metric's mean and deviation over the folds, and its value in each."""
    found = read_cross_validation(cross_validation)
    rows = [
        {
            "metric": name,
            "mean": _figure(mean),
            "deviation": _figure(found["deviation"][name]),
            "folds": ", ".join(_figure(fold["metrics"][name]) for fold in found["folds"]),
        }
        for name, mean in found["mean"].items()
    ]
    create_table_artifact(rows, key="cross-validation", description="On rows of the training split, each left out once")


def show_evaluation(evaluation: EvaluationRef) -> None:
    """Show the metrics with their intervals beside the baselines', and a picture: of classes, the confusion matrix."""
    metrics = read_metrics(evaluation)
    rows = [
        {
            "metric": name,
            "test": _figure(value),
            "interval": " to ".join(map(_figure, metrics["intervals"].get(name, ()))),
            **{baseline: _figure(values.get(name)) for baseline, values in metrics["baselines"].items()},
        }
        for name, value in metrics["test"].items()
    ]
    create_table_artifact(rows, key="metrics", description="On the test split, beside the baselines")
    if "confusion" in metrics:
        picture = class_plots.confusion_matrix(metrics["confusion"], metrics["classes"])
        _markdown("confusion-matrix", "Confusion matrix of the test split", _image("confusion matrix", picture))
    elif points := read_curves(evaluation).get("scatter"):
        picture = number_plots.predicted_and_true((points["predicted"], points["true"]))
        _markdown("predicted-and-true", "Predicted and true on the test split", _image("predicted and true", picture))


def show_slices(slices: SlicesRef) -> None:
    """Show the worst slices, and fairness between the groups of protected columns."""
    found = report_groups.sliced(slices)
    rows = [
        {
            "slice": each.name,
            "rows": f"{each.rows:,}",
            "loss": _figure(each.loss),
            "rest": _figure(each.rest),
            **{name: _figure(value) for name, value in each.metrics.items()},
        }
        for each in found.worst
    ]
    create_table_artifact(rows or [{"slice": "none"}], key="worst-slices", description=found.searched)
    measures = [
        {"protected": each.column, "measure": name, "value": _figure(value)}
        for each in found.fairness
        for name, value in each.measures
    ]
    if measures:
        create_table_artifact(measures, key="fairness", description="Between the groups of protected columns")


def show_explanation(explanation: ExplanationRef) -> None:
    """Show which columns matter."""
    found = report_groups.explained(explanation)
    if found.importance:
        picture = groups.importance_bars(found.importance)
        _markdown("importance", "Importance of columns", f"{found.said}\n\n{_image('importance', picture)}")


def show_certificate(certificate: CertificateRef) -> None:
    """Show the measured difference between the training path and the served graph."""
    measured, _ = read_certificate(certificate)
    measures = {"test split": measured.test, "records generated from the contract": measured.generated}
    rows = [
        {
            "on": name,
            "rows": f"{parity.rows:,}",
            "largest difference": f"{parity.max_difference:.2g}",
            "label flips": parity.label_flips,
            "not finite": parity.non_finite,
        }
        for name, parity in measures.items()
    ]
    create_table_artifact(rows, key="parity-certificate", description="Training path against the served graph")


def show_leaks(leaks: LeakageRef) -> None:
    """Show the leaks that were found, those that the config accepts included, and what else there is to say."""
    found = read_leaks(leaks)
    rows = [{"finding": each.name, "what": each.what} for each in found.findings]
    rows += [{"finding": "note", "what": note} for note in found.notes]
    none = [{"finding": "none", "what": f"{found.rows:,} rows were looked at"}]
    create_table_artifact(rows or none, key="leakage", description="What training must not be told")


def show_promotion(promotion: Promotion, page: Path) -> None:
    """Show every gate, and where the report lies."""
    rows: Sequence[dict[str, Any]] = [
        {
            "gate": outcome.gate,
            "passed": "yes" if outcome.passed else "NO",
            "wanted": f"{outcome.comparison} {outcome.wanted:g}",
            "got": _figure(outcome.got),
            "note": outcome.note or "",
        }
        for outcome in promotion.outcomes
    ]
    create_table_artifact(list(rows), key="gates", description="What had to hold before promotion")
    verdict = "promoted" if promotion.promoted else "refused"
    text = f"**{promotion.model} version {promotion.version}: {verdict}**\n\n[report.html]({page.as_uri()})\n\n`{page}`"
    _markdown("report", "The run's report", text)


def _image(name: str, svg: str) -> str:
    return f"![{name}]({as_data_uri(svg)})"


def _markdown(key: str, description: str, text: str) -> None:
    create_markdown_artifact(text, key=key, description=description)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "none"
