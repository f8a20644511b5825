"""From references to what people read: each function reads what one task function left, in the report's words."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.image_config import ImagePipelineConfig
from pipelines.report_groups import explained, sliced
from pipelines.report_quality import cross_validated, evaluated
from pipelines.run_state import Data, Model, Run
from tasks.data.accounting import read_accounting
from tasks.data.outcomes import read_outcomes
from tasks.export.verify import Certificate, read_certificate
from tasks.metrics.selection import metrics_of
from tasks.models.checkpoint import read_description, read_history
from tasks.promotion.gates import GateOutcome
from tasks.promotion.promote import Promotion
from tasks.references import CheckpointRef, DatasetRef, DocsRef, SplitRef, ValidationRef
from tasks.report.inputs import Accounting, GateLine, History, ReportInputs, RuleLine
from tasks.storage import write_atomic

_DOCUMENTS = "data_docs"
_LIBRARIES = (
    "dask",
    "great-expectations",
    "lightgbm",
    "onnxruntime",
    "prefect",
    "pyarrow",
    "pytorch-lightning",
    "torch",
)


def keep_documents(run: Run, documents: DocsRef) -> Path:
    """Copy the validation's documents into the run's folder and return the page to open first."""
    folder = run.folder / _DOCUMENTS
    for document in sorted(documents.folder.iterdir()):
        write_atomic(folder / document.name, document.read_bytes())
    return folder / documents.index


def report_inputs(run: Run, data: Data, model: Model, promotion: Promotion) -> ReportInputs:
    """Gather everything a report shows."""
    certificate, _ = read_certificate(model.certificate)
    return ReportInputs(
        model=run.config.model,
        version=int(promotion.version),
        promoted=promotion.promoted,
        champion_version=None if promotion.champion is None else int(promotion.champion),
        evaluated=evaluated(model, promotion),
        cross_validated=None if model.cross_validation is None else cross_validated(model.cross_validation),
        sliced=None if model.slices is None else sliced(model.slices),
        explained=None if model.explanation is None else explained(model.explanation),
        gates=tuple(gate_line(outcome) for outcome in promotion.outcomes),
        accounting=accounting(data.clean, data.split),
        rules=image_rules(data.clean) if isinstance(run.config, ImagePipelineConfig) else rules(data.validation),
        history=history(model.checkpoint),
        certificate=certificate.lasting,
        latency=latency(certificate),
        lineage=_lineage(run, data, promotion),
        documents=None if data.documents is None else f"{_DOCUMENTS}/{data.documents.index}",
    )


def rules(validation: ValidationRef) -> tuple[RuleLine, ...]:
    """Return every rule of the contract, judged."""
    return tuple(
        RuleLine(
            id=outcome.id,
            kind=outcome.kind,
            expected=outcome.expected,
            observed=str(outcome.observed) if outcome.observed is not None else f"{outcome.broken:,} rows break it",
            passed=outcome.passed,
            severity=outcome.severity,
            examples=outcome.examples,
        )
        for outcome in read_outcomes(validation)
    )


def image_rules(clean: DatasetRef) -> tuple[RuleLine, ...]:
    """Return every rule that an image of the source broke."""
    return tuple(
        RuleLine(
            id=rule,
            kind=rule.partition(".")[0],
            expected="an image that can be taken",
            observed=f"{count:,} images break it",
            passed=False,
            severity="warning",
        )
        for rule, count in read_accounting(clean).quarantined.items()
    )


def accounting(clean: DatasetRef, split: SplitRef) -> Accounting:
    """Return where every row went."""
    counted = read_accounting(clean, split)
    assert counted.splits is not None
    assert counted.without_target is not None
    return Accounting(
        rows_in=counted.rows_in,
        kept=counted.kept - counted.without_target,
        quarantined=counted.quarantined,
        duplicates=counted.duplicates,
        dropped_nulls=counted.dropped_nulls,
        without_target=counted.without_target,
        splits=counted.splits,
    )


def history(checkpoint: CheckpointRef) -> History:
    """Return how the validation split's first metric went, and the step whose model was kept."""
    description = read_description(checkpoint)
    metric = metrics_of(description.target.problem)[0]
    return History.of_rounds(read_history(checkpoint), description.best_round, metric)


def latency(certificate: Certificate) -> dict[str, float]:
    """Return the measured milliseconds, named for people."""
    return {
        f"batch {size}, {quantile}": milliseconds
        for size, measured in certificate.latency_ms.items()
        for quantile, milliseconds in measured.items()
    }


def gate_line(outcome: GateOutcome) -> GateLine:
    """Return a gate in the report's words."""
    return GateLine(
        name=outcome.gate,
        passed=outcome.passed,
        comparison=outcome.comparison,
        bound=outcome.wanted,
        measured=outcome.got,
        note=outcome.note,
    )


def _lineage(run: Run, data: Data, promotion: Promotion) -> dict[str, dict[str, Any]]:
    return {
        "bundle": {"model": promotion.model, "version": promotion.version, "digest": promotion.digest},
        "contract": {"name": run.contract.name, "version": run.contract.version, "digest": run.contract.digest},
        "data": {"source": run.config.source.path, "raw": data.raw.digest, "clean": data.clean.digest},
        "config": json.loads(run.config.model_dump_json(by_alias=True, exclude_defaults=True)),
        "software": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    }
