"""The data half of the flow: from a source to features, with the documents of validation made beside it."""

from __future__ import annotations

from typing import Any

from pipelines import bindings, wording
from pipelines.artifacts.of_data import show_accounting, show_leaks, show_validation
from pipelines.bindings import Started
from pipelines.check import leakage_plan
from pipelines.config import PipelineConfig
from pipelines.pieces import piece
from pipelines.report_early import reporting_early_end
from pipelines.run_state import Data, Run
from tasks.data.outcomes import require_kept
from tasks.leakage.check import require_no_leaks
from tasks.references import DatasetRef, DocsRef, LabelNoiseRef, PreprocessingRef, ValidationRef


def prepare_data(run: Run, config: PipelineConfig) -> tuple[Data, Started[DocsRef]]:
    """Run the data half: ingest to transform, then label noise and augmentation where the config asks for them.

    Returns:
        What it made, and the documents, which are still being made.

    Raises:
        ContractBrokenError: The data broke its contract beyond the threshold.
        LeakageError: A leak was found that the config does not accept.
    """
    raw, validation, documents = _validated(run, config)
    clean = _cleaned(run, config, raw, validation)
    split = piece(bindings.split, wording.split, clean=clean, config=config.split, **_judged(run))
    show_accounting(clean, split)
    placed: dict[str, Any] = {"clean": clean, "split": split}
    plan = leakage_plan(config, run.contract)
    leaks = piece(bindings.leakage, wording.leakage, **placed, plan=plan, **_where(run))
    show_leaks(leaks)
    with reporting_early_end(run, validation, (clean, split)):
        require_no_leaks(leaks, config.leakage)
    fitted = piece(bindings.fit, wording.preprocessing, **placed, config=config.preprocess, **_judged(run))
    features = piece(bindings.transform, wording.rows, **placed, preprocessing=fitted, **_where(run))
    noise, training = _for_training(run, config, features, fitted)
    data = Data(
        raw=raw,
        validation=validation,
        clean=clean,
        split=split,
        leaks=leaks,
        preprocessing=fitted,
        features=features,
        label_noise=noise,
        training=training,
    )
    return data, documents


def _where(run: Run) -> dict[str, Any]:
    return {"home": run.home, "dask": run.dask}


def _judged(run: Run) -> dict[str, Any]:
    return {"contract": run.contract, **_where(run)}


def _validated(run: Run, config: PipelineConfig) -> tuple[DatasetRef, ValidationRef, Started[DocsRef]]:
    """Ingest and validate; the documents, which nothing waits for, are begun."""
    contract = run.contract
    raw = piece(bindings.ingest, wording.rows, source=config.source, **_judged(run))
    validation = piece(bindings.validate, wording.validation, raw=raw, config=config.validation, **_judged(run))
    show_validation(validation)
    documents = bindings.document.start(validation=validation, contract=contract, home=run.home)
    with reporting_early_end(run, validation):
        require_kept(validation, contract, config.validation)
    return raw, validation, documents


def _cleaned(run: Run, config: PipelineConfig, raw: DatasetRef, validation: ValidationRef) -> DatasetRef:
    judged = {"raw": raw, "validation": validation}
    clean = piece(bindings.clean, wording.rows, **judged, config=config.clean, **_judged(run))
    if config.order is None:
        return clean
    return piece(bindings.order, wording.rows, clean=clean, config=config.order, **_judged(run))


def _for_training(
    run: Run, config: PipelineConfig, features: DatasetRef, fitted: PreprocessingRef
) -> tuple[LabelNoiseRef | None, DatasetRef]:
    """Look for wrong labels and augment the training split, where that is asked for."""
    learned: dict[str, Any] = {"features": features, "preprocessing": fitted}
    looked_for, augment = config.label_noise, config.augment
    noise = None
    if looked_for.action != "none":
        noise = piece(bindings.label_noise, wording.label_noise, **learned, config=looked_for, home=run.home)
    left_out = noise if looked_for.action == "quarantine" else None
    if left_out is None and not augment.rewrites:
        return noise, features
    return noise, piece(bindings.augment, wording.rows, **learned, config=augment, label_noise=left_out, **_where(run))
