"""What `headrace check` says of a problem that cannot be solved: the file, the line, the column and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.check import check_pipeline, open_pipeline
from tasks.errors import ConfigError

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: houses
name: houses
version: 1.0.0
status: active
schema:
  - name: houses
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: rooms, logicalType: integer}
      - {name: price, logicalType: number}
      - {name: garden, logicalType: boolean}
      - {name: cellar, logicalType: boolean}
      - {name: kind, logicalType: string}
      - {name: quantiles, logicalType: number}
"""

CONFIG = """\
name: houses
model: houses
contract: houses.odcs.yaml
source: {path: houses.csv}
preprocess: {exclude: [id, quantiles]}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "houses.odcs.yaml").write_text(CONTRACT)
    path = folder / "houses.yaml"
    path.write_text(CONFIG + text)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "target: [garden, cellar]\ntrain: {loss: {pos_weight: {gardn: 2}}}\n",
            "loss.pos_weight: .* do: write `garden`",
        ),
        (
            "target: garden\ntrain: {machine: {precision: 16-mixed, accelerator: cpu}}\n",
            "precision: 16-mixed needs a GPU",
        ),
    ],
)
def test_what_training_would_refuse_is_refused_before_it(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=rf"(?s){path}:7: train\..*{said}"):
        check_pipeline(path)


@pytest.mark.parametrize(
    "text",
    [
        "target: garden\nproblem: binary\n",
        "target: rooms\n",
        "target: rooms\nproblem: regression\n",
        "target: price\nproblem: quantile\nquantiles: [0.05, 0.95]\n",
        "target: [garden, cellar]\n",
        "target: price\naugment: {noise: {share: 0.1}}\n",
    ],
)
def test_a_problem_that_fits_passes_and_is_known_to_its_sections(tmp_path: Path, text: str) -> None:
    config, _ = open_pipeline(write(tmp_path, text))
    said = config.model_dump(include={"problem", "target", "quantiles"})
    assert config.preprocess.model_dump(include={"problem", "target", "quantiles"}) == said
    assert config.split.targets == config.targets
    assert type(config).model_validate(config.model_dump(mode="json", by_alias=True)) == config


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("target: price\nproblem: binary\n", 6, r"target: `price` is of type number \(.*odcs.yaml:12\).* do: write"),
        ("problem: regression\ntarget: kind\n", 7, "target: `kind` is of type string .*needs number or integer"),
        ("target: [garden, price]\n", 6, "target: `price` is of type number .*several booleans"),
        ("target: garden\nproblem: multilabel\n", 6, "target: .*got the one column `garden`"),
        ("target: [garden]\n", 6, "target: .*two or more"),
        ("problem: regression\ntarget: price\nquantiles: [0.5]\n", 8, "quantiles: .*belong to `problem: quantile`"),
        ("problem: quantile\ntarget: price\nquantiles: [0.5, 0.1]\n", 8, "quantiles: .*ascending"),
        ("problem: regresion\ntarget: price\n", 6, "problem: .*'regression'.*got 'regresion'"),
        ("target: price\nsplit: {target: rooms}\n", 7, "split.target: .*said once, at the top; got `rooms` here"),
        ("target: price\nproblem: regression\nsplit: {problem: regression}\n", 8, "split.problem: unknown key"),
        ("target: price\naugment: {balance: {method: smote}}\n", 7, "augment.balance.method: .*'smote'.*no classes"),
        ("target: price\ntrain: {class_weights: balanced}\n", 7, "train.class_weights: .*is a number.*no classes"),
        ("target: price\ntrain: {loss: cross_entropy}\n", 7, "train.loss.name: .*does not fit a regression problem"),
        ("target: rooms\ntrain: {selection: {metric: rmse}}\n", 7, "train.selection.metric: .*does not fit a binary"),
        ("target: [garden, cellar]\nlabel_noise: {action: report}\n", 7, "label_noise.action: .*is a list of labels"),
        ("target: price\npreprocess: {include: [price]}\n", 0, "preprocess.include: `price` is the target"),
        (
            "target: price\nproblem: quantile\npreprocess: {exclude: [id]}\n",
            0,
            "preprocess: the feature `quantiles` has the",
        ),
        ("target: price\npromote: {gates: {floor: {roc_auc: 0.7}}}\n", 7, "promote.gates.floor.roc_auc: .*regression"),
    ],
)
def test_what_does_not_fit_is_refused_once_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, "")
    if line == 0:  # the section stands in `CONFIG` already
        path.write_text(CONFIG.replace("preprocess: {exclude: [id, quantiles]}\n", "") + text)
        line = text.count("\n") + 4
    else:
        path.write_text(CONFIG + text)
    with pytest.raises(ConfigError, match=f"(?s)^{path}:{line}: {message}") as caught:
        check_pipeline(path)
    assert str(caught.value).count(str(path)) == 1
