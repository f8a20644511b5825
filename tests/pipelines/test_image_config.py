"""A config with a section `images` is a pipeline of images, and what cannot be is said before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.check import check_pipeline, open_pipeline
from pipelines.cli import headrace
from pipelines.config import load_config
from pipelines.image_config import ImagePipelineConfig
from tasks.errors import ConfigError
from tasks.models.images.cnn import CnnConfig

CONFIGS = Path(__file__).parents[2] / "pipelines" / "configs"
GOOD = """\
name: garments
model: garment
images:
  source: {path: pictures, format: folders}
  image: {width: 16, height: 12, mode: L}
  augment:
    crop: {padding: 2}
train:
  rounds: 3
"""


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "garments.yaml"
    path.write_text(text)
    return path


def test_a_config_of_images_is_read_with_defaults_of_its_own(tmp_path: Path) -> None:
    config, contract = open_pipeline(write(tmp_path))
    assert isinstance(config, ImagePipelineConfig)
    assert config.source.path == str(tmp_path / "pictures")
    assert config.train.model == CnnConfig()
    assert config.train.rounds == 3
    assert config.problems == ("multiclass", "binary")
    assert contract.name == "garments"
    assert list(tmp_path.iterdir()) == [tmp_path / "garments.yaml"]


@pytest.mark.parametrize("name", ["fashion_mnist", "fashion_mnist_resnet"])
def test_what_is_shipped_is_sound(name: str) -> None:
    assert check_pipeline(CONFIGS / f"{name}.yaml").summary == "images of 28 x 28 pixels, L"


def test_the_command_says_what_it_looked_at(tmp_path: Path) -> None:
    done = CliRunner().invoke(headrace, ["check", str(write(tmp_path)), "--quick"])
    assert done.exit_code == 0, done.output
    assert "good; images of 16 x 12 pixels, L" in done.output


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("  rounds: 3", "  model: mlp"), r":9: train.model: `mlp` reads tables, .*has images\n  do: "),
        (GOOD.replace("  rounds: 3", "  loss: mse"), r":9: train.loss.name: `mse` does not fit a multiclass problem"),
        (GOOD.replace("padding: 2", "padding: 12, fill: reflect"), r":7: images.augment.crop.padding: 12 pixels"),
        (GOOD.replace("padding", "pading"), r":7: images.augment.crop.pading: unknown key; did you mean `padding`"),
        (GOOD.replace("mode: L", "mode: grey"), r":5: images.image.mode: "),
        (GOOD + "contract: a.odcs.yaml\n", r":10: contract: unknown key; "),
        (GOOD + "promote: {gates: {floor: {rmse: 1}}}\n", r":10: promote.gates.floor"),
        (GOOD + "promote: {gates: {fairness: {mae_difference: 1}}}\n", r":10: promote.gates.fairness: images have no"),
        (GOOD + "evaluate: {slices: {find: 3}}\n", r":10: evaluate.slices: images have no columns"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_pipeline(write(tmp_path, wrong))


def test_a_command_of_tables_does_not_take_images(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a pipeline of images, where one of tables is needed"):
        load_config(write(tmp_path))


def test_a_network_of_images_is_refused_for_a_table() -> None:
    with pytest.raises(ConfigError, match="`cnn` reads images, and this pipeline has a table"):
        open_pipeline(CONFIGS / "diabetes.yaml", ["train.model=cnn"])
