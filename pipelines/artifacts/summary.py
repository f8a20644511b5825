"""The summary of a run as markdown: the verdict and its reasons, the figures that matter, and where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.artifacts.links import to_document, to_model
from pipelines.artifacts.posting import between, bound, figure, markdown_table
from tasks.report.inputs import GateLine, ReportInputs


@dataclass(frozen=True)
class Ended:
    """A run that has come to its verdict.

    Attributes:
        told: What the report tells.
        folder: The run's, `runs/<pipeline>/<run id>` below Headrace's home.
        report: The report's page in it.
        learned_by: The kind of model, such as `mlp`.
        documents: The page of Data Docs to open first; None where there are none.
    """

    told: ReportInputs
    pipeline: str
    folder: Path
    report: Path
    learned_by: str
    documents: Path | None


def summary(ended: Ended) -> str:
    """Return the summary."""
    parts = [*_verdict(ended.told), *_quality(ended.told), *_rows(ended.told), *_parity(ended.told), *_places(ended)]
    return "\n\n".join(parts)


def _verdict(told: ReportInputs) -> Iterator[str]:
    named = f"{told.model} version {told.version}"
    if told.promoted:
        yield f"# Promoted: {named} is the champion"
        yield f"All {len(told.gates)} gates held."
        return
    refused = [gate for gate in told.gates if not gate.passed]
    champion = (
        f"version {told.champion_version} stays the champion" if told.champion_version else "there is no champion"
    )
    yield f"# Refused: {named} is not promoted"
    yield f"{len(refused)} of {len(told.gates)} gates did not hold; {champion}."
    yield markdown_table([_refusal(gate) for gate in refused])


def _refusal(gate: GateLine) -> dict[str, str]:
    return {
        "gate that refused": gate.name,
        "wanted": bound(gate.comparison, gate.bound),
        "got": figure(gate.measured),
        "short by": "none" if gate.margin is None else figure(-gate.margin),
        "note": gate.note or "",
    }


def _quality(told: ReportInputs) -> Iterator[str]:
    found = told.evaluated
    name = found.headline
    said = [f"**{name} {figure(found.metrics['test'][name])}**{_within(found.intervals.get(name))} on the test split"]
    said += [
        f"{baseline} {figure(values[name])}"
        for baseline, values in found.metrics.items()
        if baseline != "test" and name in values
    ]
    yield "## How good"
    yield "; ".join(said) + "."
    if found.challenge is None:
        return
    for one in found.challenge.compared:
        if one.name == name:
            gain = f"{figure(one.gain)}{_within(one.interval)}"
            yield f"Gain over the champion before, version {found.challenge.champion}: {gain}."


def _within(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" ({between(ends)})"


def _rows(told: ReportInputs) -> Iterator[str]:
    counted = told.accounting
    lines = {**counted.splits, "in quarantine": counted.in_quarantine, **counted.left_out}
    yield "## Where the rows went"
    yield markdown_table(
        [{"rows": "came in", "": f"{counted.rows_in:,}"}]
        + [{"rows": name.replace("_", " "), "": f"{count:,}"} for name, count in lines.items() if count]
    )
    broken = sum(not rule.passed for rule in told.rules)
    if broken:
        yield f"{broken} of the contract's {len(told.rules)} rules do not hold for every row."


def _parity(told: ReportInputs) -> Iterator[str]:
    yield "## Training path against the served graph"
    yield markdown_table([_measured(name, told.certificate[name]) for name in ("test", "generated")])


def _measured(name: str, parity: Mapping[str, Any]) -> dict[str, str]:
    return {
        "on": "the test split" if name == "test" else "generated records",
        "rows": f"{parity['rows']:,}",
        "largest difference": figure(parity["max_difference"]),
        "label flips": f"{parity['label_flips']}",
    }


def _places(ended: Ended) -> Iterator[str]:
    told, runs = ended.told, ended.folder.parents[1]
    places = []
    if (card := to_model(told.model)) is not None:
        places.append(f"[the endpoint's page of {told.model}]({card}): who answers, and a form to try it")
    places.append(to_document(ended.report, runs, "the report"))
    if ended.documents is not None:
        places.append(to_document(ended.documents, runs, "Data Docs of Great Expectations"))
    places.append(f"the run's folder: `{ended.folder}`")
    yield "## Where to look"
    yield "\n".join(f"- {place}" for place in places)
