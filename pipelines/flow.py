"""The flow `data-to-deployment`: from a source to a promoted model, one Prefect task for each task function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prefect import flow, runtime

from data_contracts.loader import load_contract
from pipelines import artifacts, bindings, wording
from pipelines.check import require_sound
from pipelines.config import load_config
from pipelines.pieces import piece
from pipelines.preparation import prepare_data
from pipelines.report import keep_documents, write_report
from pipelines.run_state import REFERENCES, Data, Model, Run, references
from serving.bundle.store import ModelStore
from tasks.engine import open_client
from tasks.errors import GateRefusedError
from tasks.evaluation.evaluate import read_metrics
from tasks.promotion.promote import Promotion
from tasks.storage import headrace_home, write_atomic, write_json


def _run_name() -> str:
    return f"{Path(runtime.flow_run.parameters['config_path']).stem}-{_run_id()}"


def _run_id() -> str:
    started = runtime.flow_run.scheduled_start_time
    return f"{started:%Y%m%d-%H%M%S}-{str(runtime.flow_run.id)[:8]}"


@flow(name="data-to-deployment", flow_run_name=_run_name)
def data_to_deployment(config_path: str, overrides: list[str] | None = None) -> dict[str, Any]:
    """Take raw data to a promoted model.

    Args:
        config_path: The pipeline's YAML file.
        overrides: `key=value` settings applied over the file.

    Returns:
        The run's summary: model, version, metrics, and the paths of the report and of the run's folder.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong.
        ContractBrokenError: The data broke its contract beyond the threshold; the quarantine is kept.
        LeakageError: A leak was found that the config does not accept.
        GateRefusedError: A gate refused promotion; the champion stays.
    """
    run = _open_run(Path(config_path), overrides or [])
    with open_client(run.config.dask) as client:
        run = replace(run, dask=run.config.dask.model_copy(update={"scheduler_address": client.scheduler.address}))
        data = prepare_data(run)
    model = make_model(run, data)
    promotion = piece(
        bindings.promote,
        wording.promotion,
        candidate=model.candidate,
        evaluation=model.evaluation,
        certificate=model.certificate,
        validation=data.validation,
        config=run.config.promote,
        home=run.home,
    )
    return _finish(run, data, model, promotion)


def make_model(run: Run, data: Data) -> Model:
    """Run the model half: train, evaluate, export, verify."""
    config, contract, home = run.config, run.contract, run.home
    learned: dict[str, Any] = {"features": data.features, "preprocessing": data.preprocessing}
    trained = {**learned, "features": data.training, "config": config.train, "augment": config.augment.for_training}
    # The same work has the same key in the next process, so a killed training finds its own checkpoints.
    work = home / "training" / bindings.train.key(**trained)
    checkpoint = piece(bindings.train, wording.training, **trained, home=home, work=work)
    artifacts.show_training(checkpoint)
    evaluation = piece(
        bindings.evaluate, wording.evaluation, **learned, checkpoint=checkpoint, config=config.evaluate, home=home
    )
    artifacts.show_evaluation(evaluation)
    candidate = piece(
        bindings.export,
        wording.bundle,
        model=config.model,
        contract=contract,
        preprocessing=data.preprocessing,
        checkpoint=checkpoint,
        home=home,
    )
    certificate = piece(
        bindings.verify,
        wording.certificate,
        bundle=candidate,
        checkpoint=checkpoint,
        clean=data.clean,
        split=data.split,
        contract=contract,
        home=home,
    )
    artifacts.show_certificate(certificate)
    return Model(checkpoint, evaluation, candidate, certificate)


def _open_run(path: Path, overrides: Sequence[str]) -> Run:
    """Read the config and the contract, refuse what cannot work, and keep the resolved config in the run's folder."""
    config = load_config(path, overrides)
    contract = load_contract(config.contract)
    require_sound(config, contract)
    home = headrace_home()
    folder = home / "runs" / config.name / _run_id()
    write_json(folder / "config.json", config.model_dump(mode="json", by_alias=True))
    return Run(config, contract, home, folder, config.dask)


def _finish(run: Run, data: Data, model: Model, promotion: Promotion) -> dict[str, Any]:
    """Write the report and what the run made; raise if a gate refused."""
    made = {**references(data), **references(model)}
    write_json(run.folder / REFERENCES, {name: ref.model_dump(mode="json") for name, ref in made.items()})
    documents = keep_documents(run, data.documents)
    artifacts.show_documents(data.documents, documents)
    page = write_report(run, data, model, promotion)
    version = ModelStore(run.home / "models").bundle_path(promotion.model, promotion.version)
    write_atomic(version / page.name, page.read_bytes())
    artifacts.show_promotion(promotion, page)
    summary = {
        "status": "promoted" if promotion.promoted else "refused",
        "run": str(run.folder),
        "report": str(page),
        "data_docs": str(documents),
        "model": promotion.model,
        "version": promotion.version,
        "digest": promotion.digest,
        "metrics": read_metrics(model.evaluation)["test"],
    }
    write_json(run.folder / "summary.json", summary)
    if not promotion.promoted:
        raise GateRefusedError(wording.refusal(promotion, page))
    return summary
