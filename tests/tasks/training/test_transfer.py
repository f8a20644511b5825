from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from serving.bundle.manifest import MODEL, BundleManifest
from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError, IntegrityError
from tasks.export.bundle import write_bundle
from tasks.models.checkpoint import DESCRIPTION, WEIGHTS, read_description
from tasks.references import CheckpointRef
from tasks.storage import write_atomic, write_json
from tasks.training.config import TrainConfig
from tasks.training.requirements import possible
from tasks.training.start import StartConfig, located, start_beside
from tasks.training.train import run_train
from tests.tasks.training.fixtures import TINY, Problem, write_constants, write_problem

SHORT = TINY.model_copy(update={"rounds": 1})


def _train(problem: Problem, folder: Path, **start: Any) -> CheckpointRef:
    config = TrainConfig.model_validate({**SHORT.model_dump(), "start_from": start or None})
    return run_train(problem.features, problem.preprocessing, config, folder, folder / "work", AugmentConfig())


@pytest.fixture(scope="module")
def source(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> CheckpointRef:
    return _train(problem, tmp_path_factory.mktemp("source"))


def _weights(ref: CheckpointRef) -> dict[str, Any]:
    return load_file(ref.folder / WEIGHTS)


def test_frozen_weights_stay_and_slow_ones_move_less(problem: Problem, source: CheckpointRef, tmp_path: Path) -> None:
    ref = _train(
        problem,
        tmp_path,
        checkpoint=source.path,
        freeze=["numbers", "*.tables.0.weight"],
        learning_rates={"perceptron.0": 0.01, "perceptron.0.*": 0.1},
    )
    before, after = _weights(source), _weights(ref)
    moved = {name: float((after[name] - before[name]).abs().max()) for name in before}
    assert moved["numbers.weight"] == moved["numbers.bias"] == moved["categories.tables.0.weight"] == 0.0
    assert 0.0 < moved["perceptron.0.weight"] < 0.02 * moved["perceptron.3.weight"]
    again = _train(problem, tmp_path / "again", checkpoint=source.path, freeze=["numbers"])
    assert read_description(again).training != read_description(ref).training != read_description(source).training


def test_a_new_head_learns_another_target(source: CheckpointRef, tmp_path: Path) -> None:
    three = write_problem(tmp_path / "three", ("a", "b", "c"))
    with pytest.raises(ConfigError, match=r"target's classes: \[False, True\] there(.|\n)*do: write `new_head: true`"):
        _train(three, tmp_path, checkpoint=source.path)
    ref = _train(three, tmp_path, checkpoint=source.path, new_head=True, freeze=["numbers", "categories"])
    assert _weights(ref)["perceptron.3.weight"].shape == (3, 16)
    assert _weights(ref)["numbers.weight"].equal(_weights(source)["numbers.weight"])


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"freeze": ["number"]}, "`number` fits no parameter\n  do: did you mean `numbers"),
        ({"learning_rates": {"head": 0.1}}, "learning_rates: `head` fits no parameter"),
        ({"freeze": ["*"]}, "nothing is left to train"),
        ({"fresh": ["*"]}, "every parameter would start anew"),
        ({"fresh": ["numbers"], "freeze": ["numbers.bias"]}, "numbers.bias would start anew and never be trained"),
    ],
)
def test_patterns_must_make_sense(
    problem: Problem, source: CheckpointRef, tmp_path: Path, start: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message.replace("*", r"\*")):
        _train(problem, tmp_path, checkpoint=source.path, **start)


def test_words_of_a_category_keep_their_meaning(problem: Problem, source: CheckpointRef, tmp_path: Path) -> None:
    category = problem.constants.categorical[0].model_copy(update={"vocabulary": ("a", "z")})
    fitted = problem.constants.model_copy(update={"categorical": (category,)})
    other = Problem(problem.features, write_constants(tmp_path / "preprocessing", fitted), fitted)
    with pytest.raises(ConfigError, match=r"words of the category `c`(.|\n)*fresh: \[categories.tables.0.weight\]"):
        _train(other, tmp_path, checkpoint=source.path)
    _train(other, tmp_path, checkpoint=source.path, fresh=["categories.tables.0.weight"])


def test_another_model_or_other_features_are_refused(problem: Problem, source: CheckpointRef, tmp_path: Path) -> None:
    wide = {"name": "mlp-ple", "hidden": [32], "numeric_width": 4, "categorical_width": 4, "dropout": 0.3}
    config = TrainConfig.model_validate(
        {**SHORT.model_dump(), "model": wide, "start_from": {"checkpoint": source.path}}
    )
    arguments = (tmp_path, tmp_path / "work", AugmentConfig())
    with pytest.raises(ConfigError, match=r"train.model hidden: \[16\] there, \[32\] here\n  do"):
        run_train(problem.features, problem.preprocessing, config, *arguments)
    copy = tmp_path / "copy"
    shutil.copytree(source.folder, copy)
    described = json.loads((copy / DESCRIPTION).read_bytes())
    described["features"]["numeric"][0]["name"] = "speed"
    write_json(copy / DESCRIPTION, described)
    with pytest.raises(ConfigError, match=r"the features: numeric: \['speed', .*\] there, \['x0', .*\] here"):
        _train(problem, tmp_path, checkpoint=str(copy))
    with pytest.raises(ConfigError, match="`trees` does not start from weights"):
        possible(TrainConfig(model="trees", start_from=StartConfig(checkpoint="x")), tmp_path)


def test_a_source_is_known_by_its_digest(source: CheckpointRef, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(source.folder, copy)
    start = located(StartConfig(checkpoint=str(copy)), tmp_path)
    assert start.digest == source.digest
    configs = [
        SHORT.model_copy(update={"start_from": located(StartConfig(checkpoint=path), tmp_path)})
        for path in (str(copy), source.path)
    ]
    assert configs[0].digest == configs[1].digest != SHORT.digest
    write_json(copy / "history.json", {})
    with pytest.raises(IntegrityError, match="expected the checkpoint"):
        located(start, tmp_path)
    with pytest.raises(ConfigError, match="is no checkpoint"):
        located(StartConfig(checkpoint=str(tmp_path)), tmp_path)
    with pytest.raises(ValueError, match="got neither"):
        StartConfig()


def test_a_bundle_leads_to_the_checkpoint_it_was_made_of(
    problem: Problem, source: CheckpointRef, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(source.folder, home / "checkpoints" / source.digest)
    plain = BundleManifest(
        model="late", digest="", files={}, problem="binary", inputs=(), outputs=(), classes=(False, True), proofs={}
    )
    proofs: list[dict[str, Any]] = [{"checkpoint": {"digest": source.digest}}, {"checkpoint": {"digest": "e0"}}, {}]
    known, lost, silent = (
        write_bundle(home, plain, proof, lambda folder: write_atomic(folder / MODEL, b"")) for proof in proofs
    )
    shutil.copytree(known.folder, home / "models" / "late" / "1")
    expected = StartConfig(checkpoint=str(home / "checkpoints" / source.digest), digest=source.digest)
    assert located(StartConfig(bundle="late@1"), home) == expected
    assert located(StartConfig(bundle=known.path), home) == expected
    assert located(expected, home) == expected
    assert _train(problem, home, bundle="late@1", freeze=["numbers"])
    for bundle, message in (
        (lost.path, "made of a checkpoint that is gone"),
        (silent.path, "does not say of which checkpoint"),
        ("late@champion", "model late has no champion"),
        ("late@7", "train.start_from.bundle: .*/models/late/7"),
    ):
        with pytest.raises(ConfigError, match=message):
            located(StartConfig(bundle=bundle), home)


def test_places_are_relative_to_the_config() -> None:
    folder = Path("/configs")
    assert start_beside(StartConfig(checkpoint="old"), folder) == StartConfig(checkpoint="/configs/old")
    assert start_beside(StartConfig(bundle="b/1"), folder) == StartConfig(bundle="/configs/b/1")
    assert start_beside(StartConfig(bundle="late@1"), folder) == StartConfig(bundle="late@1")
    assert start_beside(None, folder) is None
