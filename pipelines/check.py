"""What can be known to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from data_contracts.contract import Contract
from data_contracts.executability import how_executed
from data_contracts.loader import load_contract
from data_contracts.yaml_lines import read_yaml
from pipelines.automation.config import require_notices
from pipelines.config import PipelineConfig, load_pipeline
from pipelines.executable_contracts import require_executable
from pipelines.image_config import ImagePipelineConfig, require_sound_images
from pipelines.scheduling.partitions import require_timed
from pipelines.search.check import require_search
from pipelines.search.config import SearchConfig
from tasks.augmentation.requirements import require_augmentation
from tasks.calibration.config import require_calibration
from tasks.cleaning.config import order_notes, require_ordered
from tasks.cross_validation.config import require_folds
from tasks.data.split import split_columns
from tasks.errors import ConfigError
from tasks.evaluation.requirements import evaluation_notes, require_groups
from tasks.explanation.config import require_explanation
from tasks.export.standards import OUTPUTS
from tasks.images.contract import derive_contract
from tasks.leakage.plan import LeakagePlan, plan_leakage
from tasks.models.config import each_model, require_readable
from tasks.models.module import ModuleConfig, require_module
from tasks.preprocessing.options import require_preprocessing
from tasks.preprocessing.plan import feature_columns
from tasks.preprocessing.problem import possible_problems
from tasks.preprocessing.targets import Problem
from tasks.promotion.group_gates import require_group_gates
from tasks.promotion.requirements import require_gates
from tasks.slices.config import SlicesPlan, plan_slices, slices_notes
from tasks.storage import headrace_home
from tasks.training.candidates import require_members
from tasks.training.requirements import possible, require_fitting


@dataclass(frozen=True)
class Checked:
    """A contract that a config can work with.

    Attributes:
        config: The config.
        contract: The contract; of images the one that is derived from the config.
        notes: What is right and still good to know, a sentence each.
        summary: What was looked at, in a few words.
    """

    config: PipelineConfig | ImagePipelineConfig
    contract: Contract
    notes: tuple[str, ...]
    summary: str


def check_pipeline(path: Path, overrides: Sequence[str] = (), partition: str | None = None) -> Checked:
    """Read a config and its contract and check that they can work together.

    Args:
        path: The config's file.
        overrides: `key=value` settings applied over it.
        partition: As `pipelines.config.load_pipeline` takes it.

    Raises:
        ConfigError: The config is wrong.
        ContractError: The contract is wrong, or holds a rule that cannot be executed.
    """
    config, contract = open_pipeline(path, overrides, partition)
    if config.search is not None:
        _require_search(path, overrides, config.search, problems_of(config, contract)[0])
    if isinstance(config, ImagePipelineConfig):
        image = config.images.image
        return Checked(config, contract, (), f"images of {image.width} x {image.height} pixels, {image.mode}")
    rules = sum(map(len, (contract.row_rules, contract.key_rules, contract.table_rules, contract.expectation_rules)))
    said = f"contract {contract.name} {contract.version}: {len(contract.columns)} columns, {rules} rules"
    return Checked(config, contract, tuple(_notes(config, contract)), said)


def open_pipeline(
    path: Path, overrides: Sequence[str] = (), partition: str | None = None
) -> tuple[PipelineConfig | ImagePipelineConfig, Contract]:
    """Read a config and its contract, which can work together; that of images is derived, and not written yet.

    Args:
        path: The config's file.
        overrides: `key=value` settings applied over it.
        partition: As `pipelines.config.load_pipeline` takes it.

    Raises:
        ConfigError: The config is wrong; the message begins with the file and the line of the key that is.
        ContractError: The contract is wrong, or holds a rule that cannot be executed.
    """
    config = load_pipeline(path, overrides, partition)
    try:
        require_timed(config.schedule, config.partitions)
        if isinstance(config, ImagePipelineConfig):
            require_sound_images(config)
            contract = derive_contract(config.name, config.images)
        else:
            contract = load_contract(config.contract)
            require_sound(config, contract)
        require_notices(config.notify, config.watch)
        train = possible(config.train, headrace_home(), cross_validated=config.cross_validate is not None)
    except ConfigError as error:
        raise ConfigError(_with_line(path, str(error), type(config))) from error
    return config.model_copy(update={"train": train}), contract


def problems_of(config: PipelineConfig | ImagePipelineConfig, contract: Contract) -> tuple[Problem, ...]:
    """Return the problems that a config may turn out to have."""
    return config.problems if isinstance(config, ImagePipelineConfig) else possible_problems(contract, config)


def _require_search(path: Path, overrides: Sequence[str], search: SearchConfig, problem: Problem) -> None:
    def refusal(settings: Sequence[str]) -> str | None:
        try:
            open_pipeline(path, [*overrides, *settings])
        except ConfigError as error:
            return str(error)
        return None

    try:
        require_search(search, problem, refusal)
    except ConfigError as error:
        where = next((key for key in search.space if str(error).startswith(f"search.space.{key}:")), None)
        place = ("search", "space", where) if where else ("search", "metric")
        raise ConfigError(f"{path}:{read_yaml(path).line(place)}: {error}") from error


def _with_line(path: Path, message: str, model: type[BaseModel]) -> str:
    """Return a message that begins with a key of the config with the key's line before it."""
    place = [int(part) if part.isdecimal() else part for part in message.partition(":")[0].split(".")]
    known = {field.alias or name for name, field in model.model_fields.items()}
    return f"{path}:{read_yaml(path).line(place)}: {message}" if place[0] in known else message


def _notes(config: PipelineConfig, contract: Contract) -> Iterator[str]:
    for rule, mode, why in how_executed(contract):
        if mode != "fast":
            yield f"{contract.path}:{rule.line}: expectation {rule.id} runs {mode}: {why}"
    if config.order is not None:
        yield from order_notes(config.order, leakage_plan(config, contract).features)
    yield from evaluation_notes(config.evaluate, config.split)
    yield from slices_notes(contract, config.targets)


def require_sound(config: PipelineConfig, contract: Contract) -> None:
    """Check a config against its contract.

    Raises:
        ConfigError: The config names a column or a metric that is not there, or asks for what cannot be.
        ContractError: The contract holds a rule that cannot be executed.
    """
    require_executable(contract)
    preprocess = config.preprocess
    require_preprocessing(contract, preprocess)
    problems = possible_problems(contract, config)
    _require_free_names(contract, config, problems[0])
    require_augmentation(contract, config.augment, config.train.class_weights, preprocess, config.label_noise.action)
    if config.order is not None:
        require_ordered(contract, config.order, config.targets)
    split_columns(contract, config.split)
    leakage_plan(config, contract)
    require_readable(config.train.model, images=False)
    # What `train` can do is the same for two classes and for several.
    require_fitting(config.train, problems[0], config.targets)
    require_members(config.train, problems[0], config.augment.for_training, preprocess.keep)
    for model in each_model(config.train.model):
        if isinstance(model, ModuleConfig):
            require_module(model)
    if config.cross_validate is not None:
        require_folds(config.cross_validate, config.split, contract, preprocess.keep, problems[0])
    require_calibration(config.calibrate, problems, config.targets)
    require_groups(config.evaluate, preprocess.keep)
    require_gates(config.promote.gates, problems, config.quantiles or ())
    require_group_gates(config.promote.gates, slices_plan(config, contract), problems)
    if config.explain is not None:
        require_explanation(config.explain, problems)


def _require_free_names(contract: Contract, config: PipelineConfig, problem: Problem) -> None:
    learned, outputs = config.preprocess, OUTPUTS[problem]
    for column in feature_columns(contract, learned.target, learned.include, learned.exclude):
        if column.name in outputs:
            raise ConfigError(
                f"preprocess: the feature `{column.name}` has the name of one of the model's outputs, "
                f"{' and '.join(outputs)}\n  do: rename the column in the data and the contract, or name it in "
                "preprocess.exclude"
            )


def slices_plan(config: PipelineConfig, contract: Contract) -> SlicesPlan:
    """Return which parts of the test split a model is measured on.

    Raises:
        ConfigError: `evaluate.slices` names a column that is not there.
    """
    learned = config.preprocess
    features = feature_columns(contract, learned.target, learned.include, learned.exclude)
    return plan_slices(contract, config.evaluate.slices, features, config.targets)


def leakage_plan(config: PipelineConfig, contract: Contract) -> LeakagePlan:
    """Return what is looked for before training: leaks of the target into the features, and between the splits.

    Raises:
        ConfigError: The section `leakage` names a column that is not there, or cannot serve.
    """
    learned = config.preprocess
    features = feature_columns(contract, learned.target, learned.include, learned.exclude)
    return plan_leakage(contract, config.leakage, config.split, learned, [column.name for column in features])
