"""What the model half shows in the Prefect UI."""

from __future__ import annotations

from pipelines import report, report_groups
from pipelines.artifacts.posting import figure, image, markdown, table
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.evaluation.evaluate import read_metrics
from tasks.export.verify import read_certificate
from tasks.references import CertificateRef, CheckpointRef, CrossValidationRef, EvaluationRef, SlicesRef
from tasks.report import plots


def show_training(checkpoint: CheckpointRef) -> None:
    """Show the loss curves."""
    history = report.history(checkpoint)
    picture = plots.loss_curves(history.training, history.validation, history.best_step, history.metric)
    markdown(image("loss curves", picture), key="loss-curves", description="Loss by training step")


def show_cross_validation(cross_validation: CrossValidationRef) -> None:
    """Show every metric's mean and deviation over the folds, and its value in each."""
    found = read_cross_validation(cross_validation)
    rows = [
        {
            "metric": name,
            "mean": figure(mean),
            "deviation": figure(found["deviation"][name]),
            "folds": ", ".join(figure(fold["metrics"][name]) for fold in found["folds"]),
        }
        for name, mean in found["mean"].items()
    ]
    table(rows, key="cross-validation", description="On rows of the training split, each left out once")


def show_evaluation(evaluation: EvaluationRef) -> None:
    """Show the metrics with their intervals beside the baselines'."""
    metrics = read_metrics(evaluation)
    rows = [
        {
            "metric": name,
            "test": figure(value),
            "interval": " to ".join(map(figure, metrics["intervals"].get(name, ()))),
            **{baseline: figure(values.get(name)) for baseline, values in metrics["baselines"].items()},
        }
        for name, value in metrics["test"].items()
    ]
    table(rows, key="metrics", description="On the test split, beside the baselines")


def show_slices(slices: SlicesRef) -> None:
    """Show the worst slices, and fairness between the groups of protected columns."""
    found = report_groups.sliced(slices)
    rows = [
        {
            "slice": each.name,
            "rows": f"{each.rows:,}",
            "loss": figure(each.loss),
            "rest": figure(each.rest),
            **{name: figure(value) for name, value in each.metrics.items()},
        }
        for each in found.worst
    ]
    table(rows or [{"slice": "none"}], key="worst-slices", description=found.searched)
    measures = [
        {"protected": each.column, "measure": name, "value": figure(value)}
        for each in found.fairness
        for name, value in each.measures
    ]
    if measures:
        table(measures, key="fairness", description="Between the groups of protected columns")


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
    table(rows, key="parity-certificate", description="Training path against the served graph")
