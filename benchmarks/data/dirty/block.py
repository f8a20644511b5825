"""A block of dirty rows, and what was done to each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data.dirty.base import (
    AS_NAN,
    INTEGERS,
    JITTER,
    MISSING_NUMBERS,
    MISSING_TEXTS,
    OUTLIERS,
    RATES,
    clean_flights,
)
from benchmarks.data.dirty.texts import Damage, damage_category, damage_instants, damage_people, drawn, marked
from benchmarks.data.job import NUMBERS, RAW, TEXTS

# An odd factor modulo a power of two is a bijection: ids are distinct and look random.
_KEY_MASK = (1 << 31) - 1
_KEY_FACTOR = 0x9E3779B1


@dataclass(frozen=True)
class Block:
    """Dirty rows, the truth about each by name, and how often each kind of damage was done."""

    table: pa.Table
    truth: Mapping[str, np.ndarray]
    counts: Counter[str]


def make_block(seed: tuple[int, int, int], start: int, rows: int) -> Block:
    """Make rows with the ids of positions `start` to `start + rows`; the same arguments give the same rows."""
    flights = clean_flights()
    random = np.random.default_rng(seed)
    picked = random.integers(0, flights.rows, rows)
    ids = (np.arange(start, start + rows, dtype="int64") * _KEY_FACTOR) & _KEY_MASK
    columns: dict[str, pa.Array] = {"event_id": pa.array(ids), "flight": pa.array(flights.flight[picked])}
    truth = {"event_id": ids}
    counts: Counter[str] = Counter()
    columns["sched_ts"], truth["bad_ts"] = damage_instants(random, pc.take(flights.instants, pa.array(picked)))
    counts["bad_ts"] = int(truth["bad_ts"].sum())
    for name in TEXTS:
        strict = name in {"carrier", "origin"}
        damage = Damage(
            wrong=RATES["bad_category"] if strict else 0,
            missing=RATES["missing"] if name in MISSING_TEXTS else 0,
            tokens=not strict,
        )
        columns[name], truth[f"cat_{name}"], done = damage_category(
            random, flights.codes[name][picked], flights.values[name], damage
        )
        counts.update({f"{name}.{kind}": count for kind, count in done.items()})
    people, truth["cat_email_domain"], done = damage_people(random, rows)
    columns |= people
    counts.update(done)
    numbers = _numbers(random, picked, truth, counts)
    for name in NUMBERS:
        truth[f"num_{name}"] = numbers[name]
        columns[name] = _as_arrow(name, numbers[name])
    return Block(pa.table({name: columns[name] for name in RAW}), truth, counts)


def _numbers(
    random: np.random.Generator, picked: np.ndarray, truth: dict[str, np.ndarray], counts: Counter[str]
) -> dict[str, np.ndarray]:
    """Draw the numeric columns, float64 with NaN for missing, and damage them."""
    rows, source = len(picked), clean_flights().numbers
    numbers = {}
    for name in NUMBERS:
        if name == "fare":
            numbers[name] = 30.0 + 0.11 * source["distance"][picked] * np.exp(random.normal(0.0, 0.35, rows))
            continue
        numbers[name] = source[name][picked]
        if name in JITTER:
            shifted = numbers[name] + random.uniform(-JITTER[name], JITTER[name], rows)
            numbers[name] = np.rint(shifted * 100) / 100
    outlying = drawn(random, rows, RATES["outlier"])
    which = random.integers(0, len(OUTLIERS), len(outlying))
    for position, (name, value) in enumerate(OUTLIERS.items()):
        numbers[name][outlying[which == position]] = value
        counts[f"{name}.outlier"] = int((which == position).sum())
    for name in MISSING_NUMBERS:
        missing = drawn(random, rows, RATES["missing"])
        numbers[name][missing] = np.nan
        counts[f"{name}.missing"] = len(missing)
    bad = drawn(random, rows, RATES["bad_distance"])
    numbers["distance"][bad] = -numbers["distance"][bad]
    numbers["distance"][bad[: len(bad) // 2]] = np.nan
    truth["bad_distance"], counts["bad_distance"] = marked(rows, bad), len(bad)
    return numbers


def _as_arrow(name: str, values: np.ndarray) -> pa.Array:
    if name in INTEGERS:
        return pa.array(np.nan_to_num(values).astype("int32"), mask=np.isnan(values))
    return pa.array(values, from_pandas=name not in AS_NAN)
