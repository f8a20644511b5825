from pathlib import Path

import pytest

from pipelines.config import load_config
from tasks.errors import ConfigError
from tasks.models.config import AutoConfig

GOOD = """\
name: customers
model: churn
contract: contracts/customers.odcs.yaml
target: churned
source:
  path: customers.csv
validate:
  max_quarantined: 0.1
train:
  model:
    name: mlp
    dropout: 0.2
promote:
  gates:
    floor: {roc_auc: 0.6}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "customers.yaml"
    path.write_text(text)
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value)


def test_a_config_is_read_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.validation.max_quarantined == 0.1
    assert config.train.model.name == "mlp"
    assert config.preprocess.target == config.split.target == "churned"
    assert config.contract == str(tmp_path / "contracts" / "customers.odcs.yaml")
    assert config.source.path == str(tmp_path / "customers.csv")


def test_settings_are_applied_over_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD), ["train.seed=7", "promote.gates.floor.roc_auc=0.9", "clean={}"])
    assert config.train.seed == 7
    assert config.promote.gates.floor["roc_auc"] == 0.9


@pytest.mark.parametrize(
    ("wrong", "line", "hint"),
    [
        (GOOD.replace("max_quarantined", "max_quarantine"), 8, "`max_quarantined`"),
        (GOOD.replace("validate:", "validat:"), 7, "`validate`"),
        (GOOD.replace("dropout: 0.2", "dropuot: 0.2"), 12, "`dropout`"),
        (GOOD.replace("floor:", "flor:"), 15, "`floor`"),
        (GOOD.replace("name: mlp", "name: mpl"), 10, "mlp"),
        (GOOD.replace("max_quarantined: 0.1", "max_quarantined: much"), 8, "got 'much'"),
        (GOOD.replace("model: churn\n", ""), 1, "model: this key is required"),
        (GOOD.replace("name: customers", "name: [1"), 2, "not valid YAML"),
        (GOOD.replace("model: churn", "name: again"), 2, "not valid YAML"),
        (GOOD.replace("roc_auc: 0.6", "roc_auc: -.inf"), 15, "promote.gates.floor.roc_auc: expected a finite number"),
        (GOOD.replace("dropout: 0.2", "hidden: [16, .nan]"), 12, "train.model.hidden.1: expected a finite number"),
        (GOOD + "calibrate: {threshold: {rule: fixed, value: 2}}", 16, "calibrate.threshold.value: input should be"),
        (GOOD + "calibrate: {threshold: cost}", 16, "calibrate.threshold.false_positive: this key is required"),
        (GOOD.replace("  model:", "  optimizer: {name: {adam: 1}}\n  model:"), 10, "expected one of adamw"),
    ],
)
def test_a_mistake_is_an_error_with_its_line_and_the_nearest_key(
    tmp_path: Path, wrong: str, line: int, hint: str
) -> None:
    path = write(tmp_path, wrong)
    message = refusal(path)
    assert f"{path}:{line}: " in message
    assert hint in message


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("setting", ["train.seed", "=1", "name.more=1", "train.seed=[1"])
def test_a_malformed_setting(tmp_path: Path, setting: str) -> None:
    assert refusal(write(tmp_path, GOOD), setting).startswith(f"--set {setting}: ")


def test_an_unknown_setting_has_its_nearest_key(tmp_path: Path) -> None:
    assert "did you mean `seed`?" in refusal(write(tmp_path, GOOD), "train.sed=1")


def test_an_unknown_option_of_a_column_has_its_nearest_key(tmp_path: Path) -> None:
    assert "did you mean `impute`?" in refusal(write(tmp_path, GOOD), "preprocess.columns.age={imput: mean}")


def test_folds_of_auto_follow_a_split_by_group(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    grouped = ["split={method: group, column: day}", "train.model=auto"]
    config = load_config(path, grouped)
    assert isinstance(config.train.model, AutoConfig)
    assert config.train.model.group == "day"
    assert config.preprocess.keep == ("day",)
    said = load_config(path, [*grouped, "train.model={name: auto, group: plan}", "preprocess.keep=[plan]"])
    assert isinstance(said.train.model, AutoConfig)
    assert (said.train.model.group, said.preprocess.keep) == ("plan", ("plan",))


def test_a_name_that_stands_alone_becomes_a_section_when_something_in_it_is_set(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("  model:\n    name: mlp\n    dropout: 0.2\n", "  model: mlp\n"))
    model = load_config(path, ["train.model.dropout=0.1"]).train.model
    assert (model.name, model.dropout) == ("mlp", 0.1)
    assert "holds a single value, not a section" in refusal(path, "contract.path=1")


def test_a_key_of_another_model_is_told_as_such(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, GOOD), "train.model.leaves=3")
    assert "train.model.leaves: unknown key; it belongs to another `name`" in message
