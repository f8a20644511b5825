"""What came of each piece, in the few words of its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.calibration.calibrate import read_calibration
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.evaluation.evaluate import read_metrics
from tasks.explanation.explain import read_explanation
from tasks.export.verify import read_certificate
from tasks.images.taken import validation_of
from tasks.metrics.selection import metrics_of
from tasks.models.checkpoint import read_description, read_history
from tasks.preprocessing.fit import read_preprocessing
from tasks.promotion.gates import GateOutcome
from tasks.promotion.promote import Promotion
from tasks.references import (
    BundleRef,
    CalibrationRef,
    CertificateRef,
    CheckpointRef,
    CrossValidationRef,
    DatasetRef,
    EvaluationRef,
    ExplanationRef,
    LabelNoiseRef,
    LeakageRef,
    PreprocessingRef,
    SlicesRef,
    SplitRef,
    ValidationRef,
)
from tasks.slices.slices import read_slices

_HEADLINES = ("roc_auc", "accuracy", "subset_accuracy", "log_loss", "rmse", "mae", "r2", "pinball", "coverage")
_REASON = "  - "


def rows(dataset: DatasetRef) -> str:
    """Say how many rows a dataset has."""
    return f"{dataset.rows:,} rows"


def images(dataset: DatasetRef) -> str:
    """Say how many images of a source can be taken."""
    found = validation_of(dataset)
    return f"{found.kept:,} images, {found.quarantined:,} in quarantine"


def validation(result: ValidationRef) -> str:
    """Say how many rows kept the contract."""
    return f"{result.kept:,} rows keep the contract, {result.quarantined:,} in quarantine"


def split(result: SplitRef) -> str:
    """Say how many rows each split has."""
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in result.rows.items())


def leakage(result: LeakageRef) -> str:
    """Say how many leaks were found."""
    return f"{result.found} finding{'' if result.found == 1 else 's'}"


def preprocessing(fitted: PreprocessingRef) -> str:
    """Say what was fitted."""
    constants = read_preprocessing(fitted)
    if constants.image is not None:
        height, width, channels = constants.image.shape
        return f"images of {height} x {width} x {channels}, {len(constants.class_target.classes)} classes"
    return f"{len(constants.numeric)} numeric and {len(constants.categorical)} categorical features"


def label_noise(found: LabelNoiseRef) -> str:
    """Say how many labels of the training split look wrong."""
    return f"{found.suspected:,} of {found.rows:,} training labels look wrong"


def training(checkpoint: CheckpointRef) -> str:
    """Say how long training went on and how good the kept network is on the validation split."""
    description = read_description(checkpoint)
    best, rounds = description.best_round, read_history(checkpoint)
    metric = metrics_of(description.target.problem)[0]
    said = f"best {best} with validation {metric.replace('_', ' ')} {rounds[best - 1][metric]:.4f}"
    return f"{len(rounds)} rounds, {said}"


def cross_validation(result: CrossValidationRef) -> str:
    """Say how good the training is on rows that it leaves out, and how much that varies from fold to fold."""
    found = read_cross_validation(result)
    mean, deviation = found["mean"], found["deviation"]
    name = next(name for name in _HEADLINES if name in mean)
    return f"{len(found['folds'])} folds, {name} {mean[name]:.4f} +- {deviation[name]:.4f}"


def calibration(result: CalibrationRef, checkpoint: CheckpointRef) -> str:
    """Say what calibration gained, and where the model says yes."""
    fitted = read_calibration(result, checkpoint)
    before, after = fitted.before.measures, fitted.after.measures
    gained = [f"{name} {before[name]:.4f} to {after[name]:.4f}" for name in before if before[name] != after[name]]
    chosen = [f"{each.name} from {each.threshold:.3g}" for each in fitted.thresholds]
    return ", ".join([fitted.method, *gained, *chosen])


def evaluation(result: EvaluationRef) -> str:
    """Say how good the model is on the test split."""
    metrics = read_metrics(result)["test"]
    return "test " + ", ".join(f"{name} {metrics[name]:.4f}" for name in _HEADLINES if name in metrics)


def slices(result: SlicesRef) -> str:
    """Say where the model is worst, and between how many protected groups it was compared."""
    found = read_slices(result)
    search = found["search"]
    said = f"{len(search['found'])} worse of {search['tried']:,} slices" if search["tried"] else "none is large enough"
    if search["found"]:
        worst = search["found"][0]
        named = " and ".join(f"{column}: {group}" for column, group in worst["slice"])
        said += f", the worst {named} (loss {worst['loss']:.3g}, else {worst['rest']:.3g})"
    protected = ", ".join(found["fairness"])
    return f"{said}; fairness by {protected}" if protected else said


def explanation(result: ExplanationRef) -> str:
    """Say which columns matter most."""
    importance = read_explanation(result)["importance"]
    if importance is None:
        return "single rows"
    return "most important " + ", ".join(each["column"] for each in importance["columns"][:3])


def bundle(candidate: BundleRef) -> str:
    """Say how large the model is."""
    size = (candidate.folder / "model.onnx").stat().st_size
    return f"model.onnx, {size / 1e6:.2f} MB"


def certificate(measured: CertificateRef) -> str:
    """Say how far the served graph is from the training path."""
    found, _ = read_certificate(measured)
    flips = found.test.label_flips + found.generated.label_flips
    worst = max(found.test.max_difference, found.generated.max_difference)
    return f"largest difference {worst:.1e}, {flips} label flips"


def promotion(result: Promotion) -> str:
    """Say whether the version is the champion now."""
    if result.promoted:
        before = ", as it was before" if result.unchanged else ""
        return f"{result.model} version {result.version} is the champion{before}"
    refused = sum(not outcome.passed for outcome in result.outcomes)
    return f"{result.model} version {result.version} refused by {refused} gate{'s' if refused > 1 else ''}"


def promoted(summary: Mapping[str, Any]) -> str:
    """Say in one line which version a run has made the champion, and how good it is."""
    metrics = summary["metrics"]
    said = ", ".join(f"{name} {metrics[name]:.4f}" for name in _HEADLINES if name in metrics)
    return f"{summary['model']} version {summary['version']} is the champion: test {said}"


def first_sentence(error: ValueError) -> str:
    """Return an error's message in one line: what is wrong, the first of several reasons, and how many more there are.

    What to do about it, and examples, stay in the whole message.
    """
    head, *rest = str(error).partition("\n  do:")[0].split("\n")
    reasons = [line.removeprefix(_REASON) for line in rest if line.startswith(_REASON)]
    if not reasons:
        return head
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{head} {reasons[0]}{more}"


def refusal(result: Promotion, report: Path) -> str:
    """Say which gates refused a version, by how much, and what to do."""
    lines = "".join(f"\n{_REASON}{_gate(outcome)}" for outcome in result.outcomes if not outcome.passed)
    champion = f"version {result.champion} stays the champion" if result.champion else "there is no champion yet"
    return (
        f"{result.model} version {result.version} is not promoted; {champion}. Refused by:{lines}\n"
        f"  do: look at {report}; then better the data or the training, or change the gate in the config"
    )


def _gate(outcome: GateOutcome) -> str:
    got = "nothing that can be compared" if outcome.got is None else f"{outcome.got:.6g}"
    short = "" if outcome.margin is None else f", short by {-outcome.margin:.3g}"
    note = f" ({outcome.note})" if outcome.note else ""
    return f"{outcome.gate}: expected {outcome.comparison} {outcome.wanted:g}, got {got}{short}{note}"
