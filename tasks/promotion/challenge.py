"""Champion against candidate: a paired bootstrap over the rows of the candidate's test split.

Both answer the raw rows with the graph that would serve them, so neither has an advantage of the path.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.data.partitions import read_manifest
from tasks.data.split import read_split
from tasks.errors import IntegrityError
from tasks.evaluation.held_out import read_predictions
from tasks.export.bundle import PREPROCESSING
from tasks.metrics.bootstrap import Difference, Resampling, differences
from tasks.metrics.measures import measures_of
from tasks.metrics.table import direction, metric_names
from tasks.preprocessing.constants import Preprocessing
from tasks.promotion.answers import Contender, NotComparableError, OtherQuestionError, answer_all
from tasks.promotion.version import held_out_metrics
from tasks.references import DatasetRef, EvaluationRef, SplitRef


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Compared(_Frozen):
    """One metric of the two.

    Attributes:
        champion: The champion's value.
        candidate: The candidate's.
        gain: By how much the candidate is better, negative where it is worse, whatever the metric's direction.
        interval: Of the gain; None where none was made.
    """

    champion: float
    candidate: float
    gain: float
    interval: tuple[float, float] | None = None


class Challenge(_Frozen):
    """A candidate measured against the champion.

    Attributes:
        champion: The champion's version.
        metrics: By name; none where the champion predicts something else.
        rows: How many rows both answered; 0 where recorded metrics had to do.
        groups: How many groups of rows were drawn from; None where rows were drawn one by one.
        confidence: Share of the draws within an interval.
        recorded: Why the champion could not answer the candidate's rows, to end a sentence, so that its metrics are
            those it was promoted with, on rows of its own; None where it could.
    """

    champion: str
    metrics: Mapping[str, Compared]
    rows: int = 0
    groups: int | None = None
    confidence: float
    recorded: str | None = None


class Rows(_Frozen):
    """The rows that both answer: a clean dataset, its split, and the candidate's evaluation on the test split."""

    clean: DatasetRef
    split: SplitRef
    evaluation: EvaluationRef


def challenge(
    champion: tuple[str, Path], candidate: Path, rows: Rows, resampling: Resampling, wanted: Collection[str]
) -> Challenge:
    """Compare a candidate with the champion on the same rows, or on recorded metrics where that cannot be.

    Args:
        champion: Its version and its bundle.
        candidate: The candidate's complete bundle.
        rows: What to answer.
        resampling: How to draw; the groups are the evaluation's.
        wanted: Metrics to make intervals for, beside the one that is spoken of first.

    Raises:
        IntegrityError: The evaluation is of other rows, or the champion holds none.
        BundleError: A bundle is broken.
    """
    try:
        return _on_the_same_rows(champion, candidate, rows, resampling, wanted)
    except NotComparableError as error:
        alike = not isinstance(error, OtherQuestionError)
        return Challenge(
            champion=champion[0],
            metrics=_recorded(held_out_metrics(champion[1]), held_out_metrics(candidate)) if alike else {},
            confidence=resampling.confidence,
            recorded=str(error),
        )


def _on_the_same_rows(
    champion: tuple[str, Path], candidate: Path, rows: Rows, resampling: Resampling, wanted: Collection[str]
) -> Challenge:
    target = Preprocessing.model_validate_json((candidate / PREPROCESSING).read_bytes()).target
    truth, _ = read_predictions(rows.evaluation, target)
    before, after = (Contender.open(bundle, target) for bundle in (champion[1], candidate))
    before.require_comparable(after, read_manifest(rows.clean).columns)
    columns = list(dict.fromkeys(spec.name for each in (before, after) for spec in each.manifest.inputs))
    count = answer_all(before, after, read_split(rows.clean, rows.split, "test", columns))
    if count != len(truth):
        raise IntegrityError(
            f"{rows.evaluation.path}: the evaluation is of {len(truth)} rows, but the test split has {count}\n"
            "  do: evaluate the candidate on the features of this dataset and this split"
        )
    first, second = (measures_of(target, truth.values, each.predictions()) for each in (before, after))
    drawn = replace(resampling, groups=truth.groups)
    named = {*wanted, metric_names(target.problem)[0]}
    every = differences(first, second, count, replace(drawn, resamples=0))
    every |= differences(first, second, count, drawn, named)
    return Challenge(
        champion=champion[0],
        metrics={name: _compared(each) for name, each in every.items()},
        rows=count,
        groups=None if truth.groups is None else int(truth.groups.max()) + 1,
        confidence=resampling.confidence,
    )


def _compared(found: Difference) -> Compared:
    return Compared(champion=found.before, candidate=found.after, gain=found.gain, interval=found.interval)


def _recorded(champion: Mapping[str, float], candidate: Mapping[str, float]) -> dict[str, Compared]:
    return {
        name: Compared(champion=champion[name], candidate=value, gain=direction(name) * (value - champion[name]))
        for name, value in candidate.items()
        if name in champion
    }
