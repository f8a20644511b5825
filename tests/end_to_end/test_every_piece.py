"""One run with every piece that a config can ask for, on data that needs each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project
from tests.end_to_end.test_whole_way import pieces

ASKED = """
order:
  by: signed_up
  columns: {age: {fill: ffill}}
label_noise: {action: quarantine, model: logistic, max_share: 0.5}
augment:
  balance: {method: smotenc}
  noise: {share: 0.1}
"""
PREPROCESS = """\
preprocess:
  exclude: [customer_id]
  calendar_cyclic: [month]
  columns:
    monthly: {scale: yeo-johnson, outliers: {method: iqr, action: quarantine}}
    calls: {scale: {method: quantile, to: normal}, outliers: {method: mad, action: flag}}
    country: {encode: target, impute: mode}
    plan: {encode: one-hot}
  row_outliers: {action: flag, trees: 5}
"""


@pytest.fixture(scope="module")
def run(shell: Shell) -> dict:
    write_project(shell.folder, rows=3000)
    config = shell.folder / "customers.yaml"
    text = config.read_text().replace("preprocess:\n  exclude: [customer_id]\n", PREPROCESS) + ASKED
    config.write_text(text.replace("floor: {roc_auc: 0.6}", "floor: {roc_auc: 0.5}"))
    done = shell.run("run", "customers.yaml", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


def made(run: dict, name: str) -> Path:
    return Path(json.loads((Path(run["run"]) / "references.json").read_text())[name]["path"])


def test_every_piece_ran(run: dict) -> None:
    assert {"order", "leakage", "label-noise", "augment"} <= set(pieces(run["stderr"]))
    assert run["status"] == "promoted"


def test_the_rows_of_training_are_accounted_for(run: dict) -> None:
    counted = json.loads((made(run, "training") / "augmentation.json").read_text())
    suspected = json.loads((made(run, "label_noise") / "label_noise.json").read_text())
    rows = {when: sum(counted[when].values()) for when in ("before", "after")}
    left_out = sum(counted["left_out"]["label_noise"].values())
    added = sum(sum(classes.values()) for classes in counted["added"].values())
    assert left_out == sum(pair["suspected_rows"] for pair in suspected["pairs"]) > 0
    assert rows["after"] == rows["before"] - left_out + added
    assert counted["after"]["true"] == counted["after"]["false"]


def test_the_served_graph_does_all_of_it(run: dict) -> None:
    certificate = json.loads((made(run, "certificate") / "certificate.json").read_text())
    for path in ("test", "generated"):
        assert certificate[path]["label_flips"] == 0
        assert certificate[path]["max_difference"] < 1e-5
