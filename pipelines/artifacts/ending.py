"""What a run shows at its end in the Prefect UI: the gates, a summary with the verdict first, and the model's card."""

from __future__ import annotations

from pipelines.artifacts.card import card
from pipelines.artifacts.posting import bound, figure, key_of, markdown, table
from pipelines.artifacts.summary import Ended, summary
from tasks.report.inputs import GateLine


def show_end(ended: Ended) -> None:
    """Show every gate, the summary and the card of the version that was made, promoted or not."""
    told = ended.told
    table(
        [_gate_row(gate) for gate in sorted(told.gates, key=lambda gate: gate.passed)],
        key="gates",
        description=f"What had to hold before {told.model} version {told.version} was promoted",
    )
    markdown(
        card(told, ended.learned_by),
        key=key_of("model-card", told.model),
        description=f"{told.model} version {told.version}: how good it is and what it was made of",
    )
    markdown(
        summary(ended),
        key=key_of("summary", ended.pipeline),
        description="What came of the run, and where to look",
    )


def _gate_row(gate: GateLine) -> dict[str, str]:
    return {
        "gate": gate.name,
        "passed": "yes" if gate.passed else "NO",
        "wanted": bound(gate.comparison, gate.bound),
        "got": figure(gate.measured),
        "margin": figure(gate.margin),
        "note": gate.note or "",
    }
