"""A search is checked against the real config, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.check import check_pipeline
from tasks.errors import ConfigError
from tests.end_to_end.customers import write_project

SPACE = """\
search:
  space:
    train.optimizer.learning_rate: {low: 1e-4, high: 1e-2, log: true}
    train.model.hidden: {choices: [[8], [16, 16]]}
    preprocess.numeric.bins: {low: 8, high: 64, step: 8}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_project(tmp_path, rows=20)
    return tmp_path / "customers.yaml"


def refusal(config: Path, search: str) -> str:
    config.write_text(config.read_text() + search)
    with pytest.raises(ConfigError) as caught:
        check_pipeline(config)
    return str(caught.value)


def test_a_search_that_can_be_made_passes(config: Path) -> None:
    config.write_text(
        config.read_text()
        + SPACE.replace("preprocess.numeric.bins", "train.model.dropout").replace(
            "{low: 8, high: 64, step: 8}", "{low: 0, high: 0.5}"
        )
    )
    check_pipeline(config)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("optimizer.learning_rate", "optimizer.lerning_rate", 20, "did you mean `learning_rate`?"),
        ("train.model.hidden", "trian.model.hidden", 21, "did you mean `train`?"),
        ("high: 1e-2", "high: -1e-5, log: false}  # {", 20, "low < high"),
        ("low: 1e-4, high: 1e-2, log: true", "low: -1.0, high: 1e-2", 20, "the config refuses the value -1.0"),
        ("[16, 16]", "[sixteen]", 21, "the config refuses the value ['sixteen']"),
        ("  space:", "  metric: rmse\n  space:", 19, "does not measure `rmse`"),
        ("  space:", "  sampler: tpee\n  space:", 19, "search.sampler"),
    ],
)
def test_what_cannot_be_is_told_with_its_line_and_the_nearest_key(
    config: Path, right: str, wrong: str, line: int, said: str
) -> None:
    assert right in SPACE
    message = refusal(config, SPACE.rpartition("    preprocess")[0].replace(right, wrong))
    assert f"{config}:{line}: " in message
    assert said in message
