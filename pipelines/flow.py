"""The flow `data-to-deployment`: from a source to a promoted model, one Prefect task for each task function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from prefect import flow

from pipelines import bindings, wording
from pipelines.artifacts.ending import show_end
from pipelines.artifacts.summary import Ended
from pipelines.automation.cause import note_cause
from pipelines.bindings import Started
from pipelines.check import open_pipeline
from pipelines.image_config import ImagePipelineConfig
from pipelines.image_preparation import prepare_images
from pipelines.interruption import go_on_record
from pipelines.modelling import make_model
from pipelines.pieces import piece
from pipelines.preparation import prepare_data
from pipelines.report import keep_documents, report_inputs
from pipelines.run_labels import first_name, label, run_id
from pipelines.run_log import run_log
from pipelines.run_state import REFERENCES, Data, Model, Run, references
from pipelines.runs.outcome import keeping_outcome
from pipelines.scheduling.due import missed, partition_of_run, require_partition
from pipelines.states import ended
from serving.bundle.store import ModelStore
from tasks.cross_validation.cross_validate import read_cross_validation
from tasks.engine import open_client
from tasks.errors import GateRefusedError
from tasks.evaluation.evaluate import read_metrics
from tasks.images.contract import write_contract
from tasks.models.checkpoint import read_description
from tasks.promotion.promote import Promotion, Proofs
from tasks.references import DocsRef
from tasks.report.report import run_report
from tasks.retention.lock import at_work
from tasks.storage import headrace_home, naming_full_disk, write_atomic, write_json


@flow(name="data-to-deployment", flow_run_name=first_name)
def data_to_deployment(
    config_path: str, overrides: list[str] | None = None, partition: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    """Take raw data to a promoted model.

    The run ends in the state Promoted; or in Refused if a gate refused promotion, ContractBroken if the data broke its
    contract, LeakFound if the data tells what is to be predicted, and Failed for any other error.

    Args:
        config_path: The pipeline's YAML file, on the machine that runs it.
        overrides: Settings applied over the file, each as `key=value`, such as `train.seed=1`,
            `train.optimizer.learning_rate=0.002` or `promote.gates.floor.roc_auc=0.7`.
        partition: The part of the data that is run on, such as `2013-05`; only for a pipeline with `partitions`.
        cause: Why the run was started, where the drift watch did: what drifted, and by how much.

    Returns:
        The run's summary: model, version, metrics, and the paths of the report and of the run's folder.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong.
        ContractBrokenError: The data broke its contract beyond the threshold; the quarantine is kept.
        LeakageError: A leak was found that the config does not accept.
        GateRefusedError: A gate refused promotion; the champion stays.
    """
    config = Path(config_path)

    def work() -> dict[str, Any]:
        note_cause(cause)
        go_on_record()
        home = headrace_home()
        with at_work(home), naming_full_disk(home):
            return _whole_way(config, overrides or [], partition_of_run(config, overrides or [], partition))

    with run_log():
        if (state := missed(config, overrides or [])) is not None:
            return cast("dict[str, Any]", state)
        # What Prefect hands to the caller is what the state holds.
        return cast("dict[str, Any]", ended(work))


def _whole_way(config_path: Path, overrides: Sequence[str], partition: str | None) -> dict[str, Any]:
    run = open_run(config_path, overrides, ("runs", run_id()), partition)
    with keeping_outcome(run.folder, partition):
        label(run.config, partition)
        return _made(run)


def _made(run: Run) -> dict[str, Any]:
    with open_client(run.config.dask) as client:
        run = run.on(client)
        data, documents = prepare(run)
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
    if documents is not None:
        data = replace(data, documents=documents.result())
    return _finish(run, data, model, promotion)


def open_run(path: Path, overrides: Sequence[str], place: tuple[str, str], partition: str | None = None) -> Run:
    """Read the config and the contract, refuse what cannot work, and keep the resolved config in the run's folder.

    Args:
        path: The config's file.
        overrides: `key=value` settings applied over it.
        place: What the folder's name has before the pipeline's and after it.
        partition: What stands for `{partition}` in the config.

    Raises:
        ConfigError: The config is wrong, or is cut into partitions and `partition` is None.
        ContractError: The contract is wrong.
    """
    config, contract = open_pipeline(path, overrides, partition)
    require_partition(path, config.partitions, partition)
    home = headrace_home()
    folder = home / place[0] / config.name / place[1]
    if isinstance(config, ImagePipelineConfig):
        contract = write_contract(config.name, config.images, folder)
    write_json(folder / "config.json", config.model_dump(mode="json", by_alias=True))
    return Run(config, contract, home, folder, config.dask, partition)


def prepare(run: Run) -> tuple[Data, Started[DocsRef] | None]:
    """Run the data half, of tables or of images.

    Returns:
        What it made, and the documents of a table's validation, which are still being made.
    """
    if isinstance(run.config, ImagePipelineConfig):
        return prepare_images(run, run.config), None
    return prepare_data(run, run.config)


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
    told = report_inputs(run, data, model, promotion)
    page = run_report(told, run.folder / "report.html")
    version = ModelStore(run.home / "models").bundle_path(promotion.model, promotion.version)
    write_atomic(version / page.name, page.read_bytes())
    learned_by = read_description(model.checkpoint).model.name
    show_end(Ended(told, run.config.name, run.folder, page, learned_by, documents))
    summary = {
        "status": "promoted" if promotion.promoted else "refused",
        "unchanged": promotion.unchanged,
        "run": str(run.folder),
        "report": str(page),
        "data_docs": None if documents is None else str(documents),
        "model": promotion.model,
        "version": promotion.version,
        "digest": promotion.digest,
        "partition": run.partition,
        "headline": told.evaluated.headline,
        "metrics": read_metrics(model.evaluation)["test"],
        "cross_validation": _folds_summary(model),
    }
    write_json(run.folder / "summary.json", summary)
    if not promotion.promoted:
        raise GateRefusedError(wording.refusal(promotion, page))
    return summary
