"""Label noise: rows of the training split whose labels look wrong, by out-of-fold confident learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from tasks.augmentation.classes import class_names, class_text
from tasks.augmentation.confident_learning import Confidence, confidence
from tasks.augmentation.out_of_fold import ModelName, out_of_fold
from tasks.augmentation.rows import Matrices
from tasks.augmentation.suspects import write_report
from tasks.data.partitions import read_manifest, read_partition
from tasks.errors import DataError, TrainingError
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import TARGET
from tasks.preprocessing.transform import read_features
from tasks.references import DatasetRef, LabelNoiseRef, PreprocessingRef

_TRAIN = "train"


class LabelNoiseConfig(BaseModel):
    """How wrong labels are looked for.

    Attributes:
        action: `report` writes what was found, `quarantine` leaves the suspected rows out of training as well.
        folds: Each row is judged by a model that was fitted to the other folds.
        model: scikit-learn's model for that.
        max_share: With `quarantine`, the largest share of the training rows that may be suspected; more means that the
            model cannot tell the classes apart, or that something else is wrong.
        seed: Decides folds and samples.
        sample_rows: The most rows that a model is fitted to. All training rows are held in memory and judged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["none", "report", "quarantine"] = "none"
    folds: int = Field(default=5, ge=2, le=20)
    model: ModelName = "hist-gradient-boosting"
    max_share: float = Field(default=0.2, gt=0, lt=1)
    seed: NonNegativeInt = 0
    sample_rows: PositiveInt = 200_000


def run_label_noise(
    features: DatasetRef, preprocessing: PreprocessingRef, config: LabelNoiseConfig, home: Path
) -> LabelNoiseRef:
    """Look for wrong labels in the training split; a class is what the target says, true or not.

    Writes `label_noise.json` (the digest of `features`, rows, `thresholds`, `confident_joint`, the `estimated_noise`
    over all, `pairs` of given and suggested class with the estimated and the suspected rows) and
    `suspected.parquet`: `position` in the training split (int64), `given`, `suggested` (string), `self_confidence`
    (float64, the probability of the given label), and the columns that the features dataset carries beside features,
    least confident first.

    Args:
        features: A features dataset before augmentation.
        preprocessing: What made it.
        config: How to look.
        home: The report is written under `home/label_noise`.

    Raises:
        TrainingError: A class has fewer training rows than there are folds.
        DataError: More rows are suspected than may be left out; the report is kept.
    """
    constants = read_preprocessing(preprocessing)
    rows = Matrices(*read_features(features, preprocessing, _TRAIN))
    _require_folds(rows.target, constants, config.folds)
    probabilities = out_of_fold(
        rows, constants, config.model, folds=config.folds, sample_rows=config.sample_rows, seed=config.seed
    )
    found = confidence(rows.target, probabilities)
    places = np.flatnonzero(found.suggested != rows.target)
    places = places[np.argsort(found.own[places], kind="stable")]
    summary = _summary(features, rows.target, found, constants, config)
    ref = write_report(home, summary, _suspected(features, rows.target, found, places, constants))
    share = len(places) / len(rows.target)
    if config.action == "quarantine" and share > config.max_share:
        raise DataError(
            f"label_noise: {len(places)} of {len(rows.target)} training rows ({share:.1%}) look mislabelled, and at "
            f"most {config.max_share:.1%} may be left out{_worst(summary)}; the report is in {ref.path}\n"
            "  do: look at it; then raise label_noise.max_share, take another label_noise.model, or write "
            "`action: report`"
        )
    return ref


def _require_folds(target: NDArray[np.int64], constants: Preprocessing, folds: int) -> None:
    counts = np.bincount(target, minlength=len(constants.class_target.classes))
    few = np.flatnonzero(counts < folds)
    if len(few):
        shown = ", ".join(f"`{class_text(constants.class_target.classes[place])}` {counts[place]}" for place in few[:5])
        raise TrainingError(
            f"label_noise.folds: each of the {folds} folds needs a training row of every class of "
            f"`{constants.class_target.column}`; rows of {len(few)} classes: {shown}\n"
            "  do: lower label_noise.folds, bring more rows, or write `action: none`"
        )


def _summary(
    features: DatasetRef,
    target: NDArray[np.int64],
    found: Confidence,
    constants: Preprocessing,
    config: LabelNoiseConfig,
) -> dict[str, Any]:
    names = class_names(constants.class_target)
    suspected = np.zeros_like(found.counted)
    np.add.at(suspected, (target, found.suggested), 1)
    apart = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j and found.counted[i, j]]
    apart.sort(key=lambda pair: (-found.joint[pair], pair))
    return {
        "features": features.digest,
        "rows": len(target),
        "suspected": int((found.suggested != target).sum()),
        "estimated_noise": found.noise,
        "model": config.model,
        "folds": config.folds,
        "classes": names,
        "thresholds": found.thresholds.tolist(),
        "confident_joint": found.counted.tolist(),
        "pairs": [
            {
                "given": names[i],
                "suggested": names[j],
                "estimated_rows": float(found.joint[i, j] * len(target)),
                "suspected_rows": int(suspected[i, j]),
            }
            for i, j in apart
        ],
    }


def _worst(summary: dict[str, Any]) -> str:
    pairs = [
        f"{pair['suspected_rows']} labelled `{pair['given']}` look like `{pair['suggested']}`"
        for pair in summary["pairs"][:5]
    ]
    return f" ({'; '.join(pairs)})" if pairs else ""


def _suspected(
    features: DatasetRef,
    target: NDArray[np.int64],
    found: Confidence,
    places: NDArray[np.int64],
    constants: Preprocessing,
) -> pa.Table:
    names = pa.array(class_names(constants.class_target), pa.string())
    table = pa.table(
        {
            "position": pa.array(places),
            "given": names.take(pa.array(target[places])),
            "suggested": names.take(pa.array(found.suggested[places])),
            "self_confidence": pa.array(found.own[places]),
        }
    )
    for name, column in _carried(features, places, constants).items():
        table = table.append_column(name, column)
    return table


def _carried(features: DatasetRef, places: NDArray[np.int64], constants: Preprocessing) -> dict[str, pa.ChunkedArray]:
    """Return the suspected rows of the columns that are no features, by which a person finds the records."""
    known = {TARGET, *(each.name for each in constants.numeric), *(each.name for each in constants.categorical)}
    manifest = read_manifest(features)
    names = [name for name in manifest.columns if name not in known]
    if not names:
        return {}
    found, start = [], 0
    ascending = np.sort(places)
    for partition in manifest.of_split(_TRAIN):
        inside = ascending[(ascending >= start) & (ascending < start + partition.rows)] - start
        found.append(read_partition(features.folder, partition, names).take(pa.array(inside)))
        start += partition.rows
    back = pa.array(np.searchsorted(ascending, places))
    table = pa.concat_tables(found).take(back)
    return {name: table[name] for name in names}
