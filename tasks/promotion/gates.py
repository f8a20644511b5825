"""Gates: what must hold before a version becomes the champion, written as data and judged by one pure function."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from tasks.errors import ConfigError
from tasks.export.verify import Certificate
from tasks.metrics.table import METRIC, direction
from tasks.promotion.challenge import Challenge, Compared

Comparison = Literal[">=", "<="]
Value = TypeVar("Value")

_UNDEFINED = "undefined on the rows of this test split"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParityGate(_Frozen):
    """How far the serving graph may be from the training path, on test rows and on generated records alike.

    Attributes:
        max_difference: The largest difference of a score that is allowed, in any output of any record.
        max_flips: The most records whose label may differ.
    """

    max_difference: NonNegativeFloat = 1e-5
    max_flips: NonNegativeInt = 0


class GateConfig(_Frozen):
    """The gates of one pipeline.

    Attributes:
        floor: The worst value of each metric that is good enough; a ceiling for metrics where lower is better.
        gain: The least gain over the champion for each metric, always positive for better; a small loss that is
            still good enough is a negative number. Without a champion there is nothing to gain on, and the gate holds.
            Against a champion that predicts something else, or of which the metric is not known, it does not hold.
        gain_confidence: Where set, it is not the gain itself that must reach that, but the lower end of its interval
            with this confidence (0.9: five resamples in a hundred lie below it).
        parity: The parity certificate's bounds.
        latency_ms: The most milliseconds of a call of the graph at the median, by batch size as text.
        slices: By column, the worst value of each metric that is good enough for every group of it, as for `floor`.
        fairness: By measure (`tasks.slices.fairness.FAIRNESS`), the greatest difference or the least ratio that is good
            enough, for every protected column.
    """

    floor: Mapping[str, float] = {}
    gain: Mapping[str, float] = {}
    gain_confidence: float | None = Field(default=None, gt=0, lt=1)
    parity: ParityGate = ParityGate()
    latency_ms: Mapping[str, PositiveFloat] = {}
    slices: Mapping[str, Mapping[str, float]] = {}
    fairness: Mapping[str, NonNegativeFloat] = {}


class GateOutcome(_Frozen):
    """One gate, judged.

    Attributes:
        gate: Such as `floor roc_auc`.
        comparison: How `got` must stand to `wanted`.
        got: None where there was nothing to measure, or where it was not a finite number.
        margin: By how much the gate held, negative by how much it did not; None where `got` is.
        note: What a number cannot say.
    """

    gate: str
    passed: bool
    comparison: Comparison
    wanted: float
    got: float | None = None
    margin: float | None = None
    note: str | None = None


def check_gates(
    config: GateConfig,
    metrics: Mapping[str, float],
    challenge: Challenge | None,
    certificate: Certificate,
) -> tuple[GateOutcome, ...]:
    """Judge every gate.

    Args:
        config: The gates.
        metrics: The candidate's metrics on the test split.
        challenge: The candidate against the champion; None where there is none.
        certificate: The candidate's parity and latency.

    Raises:
        ConfigError: A gate names a metric or a batch size that was not measured.
    """
    return (
        *_floors(config, metrics),
        *_gains(config, metrics, challenge),
        *_parity(config.parity, certificate),
        *_latency(config, certificate),
    )


def judge(gate: str, comparison: Comparison, wanted: float, got: float, note: str | None = None) -> GateOutcome:
    """Compare one measured number with its bound; a number that is not finite never passes."""
    if not math.isfinite(got):
        return GateOutcome(gate=gate, passed=False, comparison=comparison, wanted=wanted, note=note or f"got {got}")
    margin = got - wanted if comparison == ">=" else wanted - got
    return GateOutcome(
        gate=gate, passed=margin >= 0, comparison=comparison, wanted=wanted, got=got, margin=margin, note=note
    )


def _floors(config: GateConfig, metrics: Mapping[str, float]) -> Iterator[GateOutcome]:
    for metric, bound in config.floor.items():
        gate, comparison = f"floor {metric}", _comparison(metric)
        if _defined(metrics, metric, f"gates.floor.{metric}"):
            yield judge(gate, comparison, bound, metrics[metric])
        else:
            yield _nothing(gate, comparison, bound, _UNDEFINED)


def _gains(config: GateConfig, metrics: Mapping[str, float], challenge: Challenge | None) -> Iterator[GateOutcome]:
    for metric, least in config.gain.items():
        gate = f"gain {metric}"
        if not _defined(metrics, metric, f"gates.gain.{metric}"):
            yield _nothing(gate, ">=", least, _UNDEFINED)
            continue
        if challenge is None:
            yield GateOutcome(gate=gate, passed=True, comparison=">=", wanted=least, note="there is no other champion")
            continue
        found = challenge.metrics.get(metric)
        if found is None:
            why = f": {challenge.recorded}" if challenge.recorded else f" by {metric}, which is undefined for one"
            yield _nothing(gate, ">=", least, f"the champion and the candidate cannot be compared{why}")
            continue
        note = said(found, challenge)
        if config.gain_confidence is None:
            yield judge(gate, ">=", least, found.gain, note)
        elif found.interval is None:
            why = "; there is no interval, which gates.gain_confidence asks for"
            yield _nothing(gate, ">=", least, note + why)
        else:
            yield judge(gate, ">=", least, found.interval[0], f"{note}; the interval's lower end counts")


def _comparison(metric: str) -> Comparison:
    return "<=" if direction(metric) < 0 else ">="


def _nothing(gate: str, comparison: Comparison, wanted: float, why: str) -> GateOutcome:
    """Refuse a gate for which there is no number."""
    return GateOutcome(gate=gate, passed=False, comparison=comparison, wanted=wanted, note=why)


def _defined(metrics: Mapping[str, float], metric: str, place: str) -> bool:
    """Tell whether a metric has a value; one that there is not at all is an error."""
    if metric not in METRIC:
        _measured(metrics, metric, place)
    return metric in metrics


def said(found: Compared, challenge: Challenge) -> str:
    """Say in words how a candidate stands against the champion by one metric, and how sure that is."""
    both = f"the champion has {found.champion:.6g}, the candidate {found.candidate:.6g}"
    if challenge.recorded is not None:
        return f"{both}, each on rows of its own: the champion cannot answer the candidate's, for {challenge.recorded}"
    drawn = "" if challenge.groups is None else f" in {challenge.groups:,} groups"
    sure = ""
    if found.interval is not None:
        low, high = map(_way, found.interval)
        sure = f", {100 * challenge.confidence:g}% of resamples between {low} and {high}"
    return f"on the same {challenge.rows:,} rows{drawn} {both}: {_way(found.gain)}{sure}"


def _way(gain: float) -> str:
    return "no difference" if gain == 0 else f"{abs(gain):.3g} {'better' if gain > 0 else 'worse'}"


def _parity(gate: ParityGate, certificate: Certificate) -> Iterator[GateOutcome]:
    for rows, parity in (("test", certificate.test), ("generated", certificate.generated)):
        yield judge(f"parity {rows} max_difference", "<=", gate.max_difference, parity.max_difference)
        yield judge(f"parity {rows} label_flips", "<=", gate.max_flips, parity.label_flips)
        yield judge(f"parity {rows} non_finite", "<=", 0, parity.non_finite)


def _latency(config: GateConfig, certificate: Certificate) -> Iterator[GateOutcome]:
    medians = {size: measured["p50"] for size, measured in certificate.latency_ms.items()}
    for size, bound in config.latency_ms.items():
        yield judge(f"latency_ms batch {size}", "<=", bound, _measured(medians, size, f"gates.latency_ms.{size}"))


def _measured(values: Mapping[str, Value], name: str, place: str) -> Value:
    if name in values:
        return values[name]
    near = difflib.get_close_matches(name, values, n=1, cutoff=0)
    raise ConfigError(
        f"{place}: {name!r} was not measured; there are: {', '.join(sorted(values)) or 'none'}\n"
        + (f"  do: write {near[0]!r}, or leave the gate out" if near else "  do: leave the gate out")
    )
