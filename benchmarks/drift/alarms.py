"""`python -m benchmarks.drift.alarms`: how often the drift watch alarms without drift, and how soon with it."""

from __future__ import annotations

import argparse
import time

import numpy as np
import pyarrow as pa

from benchmarks.drift.population import NUMBERS, Floats, Population, record, reference_of, shifted
from tasks.drift.comparisons import holm
from tasks.drift.counting import SeriesCounts, count_series
from tasks.drift.drift import DriftConfig
from tasks.drift.expected import Reference
from tasks.drift.judge import compare_all, rows_needed

_RATE = DriftConfig.model_fields["alarm_rate"].default


def check(reference: Reference, drawn: dict[str, Floats]) -> list[tuple[str, str, bool]]:
    """Check drawn rows as `headrace drift` checks sampled ones: each test's series and name, and whether it alarms."""
    rows, places = record(drawn), np.zeros(len(drawn["probability"]), np.int64)
    late = {"label": pa.array(drawn["probability"] > 0.5)}
    counts: dict[tuple[str, str], SeriesCounts] = {}
    for series in reference.series:
        column = {**rows, **late}["probability" if series.column == "probabilities" else series.column]
        if series.place is not None:
            pairs = np.stack([1 - drawn["probability"], drawn["probability"]], axis=1)
            column = pa.ListArray.from_arrays(np.arange(0, 2 * len(places) + 1, 2, dtype=np.int32), pairs.ravel())
        counts[series.of, series.name] = count_series(series, column, places, 1)
    compared = compare_all(reference.series, counts)
    corrected = holm([each.p_value for each in compared])
    return [(each.series, each.test, p <= _RATE) for each, p in zip(compared, corrected, strict=True)]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checks", type=int, default=10_000, help="without drift, for each number of rows")
    parser.add_argument("--tries", type=int, default=40, help="with drift, for each feature and number of rows")
    parser.add_argument("--reference", type=int, default=200_000, help="rows of the reference")
    parser.add_argument("--seed", type=int, default=1, help="of every draw")
    chosen = parser.parse_args()
    population, random = Population(0), np.random.default_rng(chosen.seed)
    training = population.draw(chosen.reference, random)
    reference = reference_of(training)
    tests = len(check(reference, population.draw(2000, random)))
    print(f"{tests} tests a check, alarm rate {_RATE:g}, {rows_needed(tests, _RATE, chosen.reference)} rows needed")
    for rows, count in ((300, chosen.checks), (2000, chosen.checks), (20_000, chosen.checks // 10)):
        begun, alarms, first = time.process_time(), 0, []
        for _ in range(count):
            found = [f"{name}.{test}" for name, test, alarm in check(reference, population.draw(rows, random)) if alarm]
            alarms += bool(found)
            first += found
        seconds = (time.process_time() - begun) / count
        print(f"no drift, {rows} rows: {alarms} alarms in {count} checks {first[:5]}, {1000 * seconds:.1f} CPU ms each")
    for rows in (300, 500, 1000, 2000) if chosen.tries else ():
        print(
            f"half a deviation, {rows} rows: " + ", ".join(_caught(reference, training, population, rows, chosen.tries))
        )


def _caught(
    reference: Reference, training: dict[str, Floats], population: Population, rows: int, tries: int
) -> list[str]:
    """Return for each number in how many of the tries its shift alarmed, by its own name; and the fewest."""
    random, seen = np.random.default_rng(2), {}
    for name in NUMBERS:
        spread, hits = float(np.nanstd(training[name])), 0
        for _ in range(tries):
            drawn = population.draw(rows, random)
            shifted(drawn, name, 0.5, spread, random)
            hits += any(alarm and series == name for series, _, alarm in check(reference, drawn))
        seen[name] = hits
    missed = [f"{name} {hits} of {tries}" for name, hits in seen.items() if hits < tries]
    return [f"{len(seen) - len(missed)} of {len(seen)} features in every try", *missed]


if __name__ == "__main__":
    main()
