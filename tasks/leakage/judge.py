"""From a survey of all rows to findings and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from tasks.data.split import SPLITS
from tasks.leakage.chance import expected_twins, log_chances
from tasks.leakage.disguise import FeatureSample, RowSample
from tasks.leakage.disguised import disguised
from tasks.leakage.findings import Finding, Kind, rounded
from tasks.leakage.occurrences import Counts, Occurrences, Words
from tasks.leakage.plan import LeakagePlan
from tasks.leakage.survey import Survey

_LATE: Mapping[str, tuple[Kind, str]] = {
    "after-now": ("after-now", "{rows:,} rows have a `{column}` after leakage.now: they cannot have happened yet"),
    "after-event": ("after-event", "in {rows:,} rows `{column}` is later than the row's own `{moment}`"),
    "train-after-test": ("train-after-test", "{rows:,} training rows are not before the test's first `{column}`"),
}
# A column looks like a group's key if it has many values, each in several rows, and most of what is held out is known
# from training.
_HINT_VALUES = 50
_HINT_VALUES_OF_ROWS = 0.005
_HINT_ROWS_EACH = 2.0
_HINT_OVERLAP = 0.9


def judge(survey: Survey, plan: LeakagePlan, rows: Mapping[str, int]) -> tuple[list[Finding], list[str]]:
    """Judge a survey of all partitions.

    Args:
        survey: What is known of all rows.
        plan: What is looked for.
        rows: Rows of each split, by name.

    Returns:
        The findings without examples, and notes.
    """
    sample = _joined(survey.samples)
    told, notes = disguised(sample, plan)
    late = (_late(name, count, plan, rows) for name, count in sorted(survey.late.items()))
    findings = [*told, *_duplicates(survey, sample, plan, rows), *_overlaps(survey, plan, rows)]
    return [*findings, *(finding for finding in late if finding is not None)], [*notes, *_hints(survey, plan, rows)]


def twins(found: Occurrences, pair: tuple[int, int]) -> tuple[Words, Counts]:
    """Return the values that occur in both splits of a pair: their hashes and int64 [V, 3] rows."""
    values, counts = found.by_value()
    both = (counts[:, pair[0]] > 0) & (counts[:, pair[1]] > 0)
    return values[both], counts[both]


def shared(found: Occurrences) -> tuple[Words, Counts]:
    """Return the values that occur in more than one split: their hashes and int64 [V, 3] rows."""
    values, counts = found.by_value()
    several = (counts > 0).sum(axis=1) > 1
    return values[several], counts[several]


def split_pair(name: str, rows: Mapping[str, int]) -> tuple[int, int]:
    """Return the two splits that the name of a `duplicates` finding names, the one with fewer rows last."""
    first, second = (SPLITS.index(part) for part in name.partition(":")[2].split("+"))
    return (first, second) if rows[SPLITS[first]] >= rows[SPLITS[second]] else (second, first)


def _joined(samples: tuple[RowSample, ...]) -> RowSample:
    def join(parts: list[FeatureSample]) -> FeatureSample:
        values = [part.values for part in parts if part.values is not None]
        words = [part.words for part in parts if part.words is not None]
        return FeatureSample(
            values=np.concatenate(values) if values else None,
            words=np.concatenate(words) if words else None,
            null=np.concatenate([part.null for part in parts]),
        )

    return RowSample(
        train=np.concatenate([sample.train for sample in samples]),
        targets={name: np.concatenate([sample.targets[name] for sample in samples]) for name in samples[0].targets},
        features={name: join([sample.features[name] for sample in samples]) for name in samples[0].features},
    )


def _duplicates(
    survey: Survey, sample: RowSample, plan: LeakagePlan, rows: Mapping[str, int]
) -> Iterator[Finding]:  # fmt: skip
    _, counts = survey.rows.by_value()
    _, whole = survey.whole.by_value()
    chances = None
    for first, second in combinations(SPLITS, 2):
        name = f"duplicates:{first}+{second}"
        pair = split_pair(name, rows)
        share = _twin_share(survey.rows, pair, counts)
        if share <= plan.duplicates:
            continue
        chances = log_chances(sample) if chances is None else chances
        chance = expected_twins(chances, rows[SPLITS[pair[0]]])
        if share - chance <= plan.duplicates:
            continue
        smaller, larger = SPLITS[pair[1]], SPLITS[pair[0]]
        alike = _twin_share(survey.whole, pair, whole)
        yield Finding(
            name=name,
            kind="duplicates",
            columns=plan.features,
            measure=rounded(share),
            threshold=plan.duplicates,
            rows=round(share * rows[smaller]),
            exact=survey.rows.complete,
            what=(
                f"{share:.2%} of the {smaller} rows equal a {larger} row in every feature, {alike:.2%} in "
                f"{' and '.join(f'`{name}`' for name in plan.targets)} too; independent columns would give {chance:.2%}"
            ),
        )


def _twin_share(found: Occurrences, pair: tuple[int, int], counts: Counts) -> float:
    smaller = pair[1]
    total = int(counts[:, smaller].sum())
    return float(twins(found, pair)[1][:, smaller].sum() / total) if total else 0.0


def _overlaps(survey: Survey, plan: LeakagePlan, rows: Mapping[str, int]) -> Iterator[Finding]:
    for name in plan.groups:
        found = survey.groups[name]
        values, counts = found.by_value()
        _, several = shared(found)
        share = len(several) / len(values) if len(values) else 0.0
        if share > plan.overlap:
            concerned = several.sum() / counts.sum()
            yield Finding(
                name=f"group-overlap:{name}",
                kind="group-overlap",
                columns=(name,),
                measure=rounded(share),
                threshold=plan.overlap,
                rows=round(concerned * _total(rows)),
                exact=found.complete,
                what=f"{share:.2%} of the values of `{name}` occur in more than one split",
            )


def _late(name: str, count: int, plan: LeakagePlan, rows: Mapping[str, int]) -> Finding | None:
    share = count / _total(rows)
    if share <= plan.future:
        return None
    kind, what = _LATE[name.partition(":")[0]]
    column = name.partition(":")[2]
    return Finding(
        name=name,
        kind=kind,
        columns=(column,) if plan.moment in {None, column} else (column, str(plan.moment)),
        measure=rounded(share),
        threshold=plan.future,
        rows=count,
        exact=True,
        what=what.format(rows=count, column=column, moment=plan.moment),
    )


def _hints(survey: Survey, plan: LeakagePlan, rows: Mapping[str, int]) -> Iterator[str]:
    total = _total(rows)
    for name in plan.hints:
        found = survey.groups[name]
        _, counts = found.by_value()
        held_out = counts[counts[:, 1:].sum(axis=1) > 0]
        many = found.distinct >= max(_HINT_VALUES, _HINT_VALUES_OF_ROWS * total)
        if not many or total / found.distinct < _HINT_ROWS_EACH or not len(held_out):
            continue
        overlap = float((held_out[:, 0] > 0).mean())
        if overlap >= _HINT_OVERLAP:
            yield (
                f"`{name}` looks like a group's key: {found.distinct:,.0f} values, and {overlap:.0%} of those in the "
                "validation and test splits are in training too; if its rows belong together, name it in leakage.groups"
            )


def _total(rows: Mapping[str, int]) -> int:
    return sum(rows[name] for name in SPLITS)
