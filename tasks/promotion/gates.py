"""Gates: what must hold before a version becomes the champion, written as data and judged by one pure function."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveFloat

from tasks.errors import ConfigError
from tasks.export.verify import Certificate

LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece"})

Comparison = Literal[">=", "<="]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParityGate(_Frozen):
    """How far the serving graph may be from the training path, on test rows and on generated records alike."""

    max_difference: NonNegativeFloat = 1e-5
    max_flips: NonNegativeInt = 0


class GateConfig(_Frozen):
    """The gates of one pipeline.

    Attributes:
        floor: The worst value of each metric that is good enough; a ceiling for metrics where lower is better.
        gain: The least gain over the champion for each metric, always positive for better. Without a champion there
            is nothing to gain on, and the gate holds.
        parity: The parity certificate's bounds.
        latency_ms: The most milliseconds of a call of the graph at the median, by batch size as text.
    """

    floor: Mapping[str, float] = {}
    gain: Mapping[str, float] = {}
    parity: ParityGate = ParityGate()
    latency_ms: Mapping[str, PositiveFloat] = {}


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
    champion: Mapping[str, float] | None,
    certificate: Certificate,
) -> tuple[GateOutcome, ...]:
    """Judge every gate.

    Args:
        config: The gates.
        metrics: The candidate's metrics on the test split.
        champion: The champion's, as it was promoted with; None where there is none.
        certificate: The candidate's parity and latency.

    Raises:
        ConfigError: A gate names a metric or a batch size that was not measured.
    """
    return (
        *_floors(config, metrics),
        *_gains(config, metrics, champion),
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
        got = _measured(metrics, metric, f"gates.floor.{metric}")
        yield judge(f"floor {metric}", "<=" if metric in LOWER_IS_BETTER else ">=", bound, got)


def _gains(
    config: GateConfig, metrics: Mapping[str, float], champion: Mapping[str, float] | None
) -> Iterator[GateOutcome]:
    for metric, least in config.gain.items():
        got = _measured(metrics, metric, f"gates.gain.{metric}")
        gate = f"gain {metric}"
        if champion is None:
            yield GateOutcome(gate=gate, passed=True, comparison=">=", wanted=least, note="there is no champion yet")
            continue
        before = _measured(champion, metric, f"gates.gain.{metric}: the champion's evaluation")
        gain = before - got if metric in LOWER_IS_BETTER else got - before
        yield judge(gate, ">=", least, gain, note=f"the champion has {before:.6g}, the candidate {got:.6g}")


def _parity(gate: ParityGate, certificate: Certificate) -> Iterator[GateOutcome]:
    for rows, parity in (("test", certificate.test), ("generated", certificate.generated)):
        yield judge(f"parity {rows} max_difference", "<=", gate.max_difference, parity.max_difference)
        yield judge(f"parity {rows} label_flips", "<=", gate.max_flips, parity.label_flips)
        yield judge(f"parity {rows} non_finite", "<=", 0, parity.non_finite)


def _latency(config: GateConfig, certificate: Certificate) -> Iterator[GateOutcome]:
    medians = {size: measured["p50"] for size, measured in certificate.latency_ms.items()}
    for size, bound in config.latency_ms.items():
        yield judge(f"latency_ms batch {size}", "<=", bound, _measured(medians, size, f"gates.latency_ms.{size}"))


def _measured(values: Mapping[str, float], name: str, place: str) -> float:
    if name in values:
        return values[name]
    near = difflib.get_close_matches(name, values, n=1, cutoff=0)
    raise ConfigError(
        f"{place}: {name!r} was not measured; there are: {', '.join(sorted(values)) or 'none'}\n"
        + (f"  do: write {near[0]!r}, or leave the gate out" if near else "  do: leave the gate out")
    )
