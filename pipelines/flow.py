"""The flow `data-to-deployment`: from a source to a promoted model, one Prefect task for each task function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, runtime

from pipelines import artifacts, bindings, wording
from pipelines.check import open_pipeline
from pipelines.image_config import ImagePipelineConfig
from pipelines.image_preparation import prepare_images
from pipelines.modelling import make_model
from pipelines.pieces import piece
from pipelines.preparation import prepare_data
from pipelines.report import keep_documents, write_report
from pipelines.run_state import REFERENCES, Data, Model, Run, references
from serving.bundle.store import ModelStore
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.engine import open_client
from tasks.errors import GateRefusedError
from tasks.evaluation.evaluate import read_metrics
from tasks.images.contract import write_contract
from tasks.promotion.promote import Promotion, Proofs
from tasks.retention.lock import at_work
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
    with at_work(headrace_home()):
        return _whole_way(Path(config_path), overrides or [])


def _whole_way(config_path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    run = open_run(config_path, overrides, ("runs", _run_id()))
    with open_client(run.config.dask) as client:
        run = run.on(client)
        data = prepare(run)
    model = make_model(run, data)
    promotion = piece(
        bindings.promote,
        wording.promotion,
        candidate=model.candidate,
        proofs=Proofs(
            evaluation=model.evaluation,
            certificate=model.certificate,
            validation=data.validation,
            slices=model.slices,
        ),
        clean=data.clean,
        split=data.split,
        config=run.config.promote,
        home=run.home,
    )
    return _finish(run, data, model, promotion)


def open_run(path: Path, overrides: Sequence[str], place: tuple[str, str]) -> Run:
    """Read the config and the contract, refuse what cannot work, and keep the resolved config in the run's folder.

    Args:
        path: The config's file.
        overrides: `key=value` settings applied over it.
        place: What the folder's name has before the pipeline's and after it.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong.
    """
    config, contract = open_pipeline(path, overrides)
    home = headrace_home()
    folder = home / place[0] / config.name / place[1]
    if isinstance(config, ImagePipelineConfig):
        contract = write_contract(config.name, config.images, folder)
    write_json(folder / "config.json", config.model_dump(mode="json", by_alias=True))
    return Run(config, contract, home, folder, config.dask)


def prepare(run: Run) -> Data:
    """Run the data half, of tables or of images."""
    config = run.config
    return prepare_images(run, config) if isinstance(config, ImagePipelineConfig) else prepare_data(run, config)


def _folds_summary(model: Model) -> dict[str, Any] | None:
    if model.cross_validation is None:
        return None
    found = read_cross_validation(model.cross_validation)
    return {name: found[name] for name in ("method", "mean", "deviation")} | {"folds": len(found["folds"])}


def _finish(run: Run, data: Data, model: Model, promotion: Promotion) -> dict[str, Any]:
    """Write the report and what the run made; raise if a gate refused."""
    made = {**references(data), **references(model)}
    write_json(run.folder / REFERENCES, {name: ref.model_dump(mode="json") for name, ref in made.items()})
    documents = None
    if data.documents is not None:
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
        "data_docs": None if documents is None else str(documents),
        "model": promotion.model,
        "version": promotion.version,
        "digest": promotion.digest,
        "metrics": read_metrics(model.evaluation)["test"],
        "cross_validation": _folds_summary(model),
    }
    write_json(run.folder / "summary.json", summary)
    if not promotion.promoted:
        raise GateRefusedError(wording.refusal(promotion, page))
    return summary
