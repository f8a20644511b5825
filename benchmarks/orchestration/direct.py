"""The flights pipeline's task functions by plain calls, in the flow's order and with the flow's arguments.

    python -m benchmarks.orchestration.direct pipelines/configs/flights.yaml train.rounds=1

No Prefect, caches or artifacts. The documents are made beside the rest, and the report is written, as in a run: that is
work and not orchestration.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipelines.check import leakage_plan, open_pipeline, slices_plan
from pipelines.config import PipelineConfig
from pipelines.own_process import in_own_process
from pipelines.report import keep_documents, report_inputs
from pipelines.run_state import Data, Model, Run
from tasks.calibration.calibrate import run_calibrate
from tasks.data.clean import run_clean
from tasks.data.document import run_document
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.evaluation.evaluate import run_evaluate
from tasks.explanation.explain import run_explain
from tasks.export.export import run_export
from tasks.export.verify import run_verify
from tasks.leakage.check import run_leakage
from tasks.preprocessing.fit import run_fit
from tasks.preprocessing.transform import run_transform
from tasks.promotion.promote import Promotion, Proofs, run_promote
from tasks.references import DocsRef
from tasks.report.report import run_report
from tasks.slices.slices import run_slices
from tasks.storage import headrace_home
from tasks.training.train import run_train


def main() -> None:
    path, *overrides = sys.argv[1:]
    config, contract = open_pipeline(Path(path), overrides)
    assert isinstance(config, PipelineConfig)
    home = headrace_home()
    run = Run(config, contract, home, home / "runs" / config.name / "direct", config.dask)
    with ThreadPoolExecutor(1) as beside:
        data, documents = prepare(run, config, beside)
        model = make_model(run, config, data)
        promotion = promote(run, data, model)
        keep_documents(run, documents.result())
    run_report(report_inputs(run, data, model, promotion), run.folder / "report.html")
    assert "prefect" not in sys.modules
    print(promotion.digest)


def prepare(run: Run, config: PipelineConfig, beside: ThreadPoolExecutor) -> tuple[Data, Future[DocsRef]]:
    where: dict[str, Any] = {"home": run.home, "dask": run.dask}
    judged: dict[str, Any] = {"contract": run.contract, **where}
    raw = run_ingest(source=config.source, **judged)
    validation = run_validate(raw=raw, config=config.validation, **judged)
    documents = beside.submit(in_own_process(run_document), validation=validation, contract=run.contract, home=run.home)
    clean = run_clean(raw=raw, validation=validation, config=config.clean, **judged)
    split = run_split(clean=clean, config=config.split, **judged)
    leaks = run_leakage(clean=clean, split=split, plan=leakage_plan(config, run.contract), **where)
    fitted = run_fit(clean=clean, split=split, config=config.preprocess, **judged)
    features = run_transform(clean=clean, split=split, preprocessing=fitted, **where)
    data = Data(
        raw=raw,
        validation=validation,
        clean=clean,
        split=split,
        leaks=leaks,
        preprocessing=fitted,
        features=features,
        label_noise=None,
        training=features,
    )
    return data, documents


def make_model(run: Run, config: PipelineConfig, data: Data) -> Model:
    home, learned = run.home, {"features": data.features, "preprocessing": data.preprocessing}
    checkpoint = run_train(**learned, config=config.train, home=home, work=home / "training" / "direct")
    calibration = run_calibrate(**learned, checkpoint=checkpoint, config=config.calibrate, home=home)
    made = {"checkpoint": checkpoint, "calibration": calibration}
    evaluation = run_evaluate(**learned, **made, config=config.evaluate, home=home)
    placed = {"clean": data.clean, "split": data.split}
    sliced = run_slices(
        **placed,
        preprocessing=data.preprocessing,
        evaluation=evaluation,
        plan=slices_plan(config, run.contract),
        home=home,
    )
    assert config.explain is not None
    explanation = run_explain(**learned, **made, config=config.explain, home=home)
    candidate = run_export(
        model=config.model, contract=run.contract, preprocessing=data.preprocessing, **made, home=home
    )
    certificate = run_verify(bundle=candidate, checkpoint=checkpoint, **placed, contract=run.contract, home=home)
    return Model(
        **made,
        evaluation=evaluation,
        slices=sliced,
        explanation=explanation,
        candidate=candidate,
        certificate=certificate,
    )


def promote(run: Run, data: Data, model: Model) -> Promotion:
    proofs = Proofs(
        evaluation=model.evaluation, certificate=model.certificate, validation=data.validation, slices=model.slices
    )
    return run_promote(
        candidate=model.candidate,
        proofs=proofs,
        clean=data.clean,
        split=data.split,
        config=run.config.promote,
        home=run.home,
    )


if __name__ == "__main__":
    main()
