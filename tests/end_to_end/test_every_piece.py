"""One run with every piece that a config can ask for, on data that needs each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
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
cross_validate: {folds: 2}
evaluate:
  slices: {columns: [country], min_rows: 50}
"""
GATES = """floor: {roc_auc: 0.5}
    slices: {country: {log_loss: 3}}
    fairness: {demographic_parity_difference: 1}
"""
PROTECTED = "- {name: autopay, logicalType: boolean, customProperties: [{property: protected, value: true}]}"
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
    config.write_text(text.replace("floor: {roc_auc: 0.6}\n", GATES))
    contract = shell.folder / "customers.odcs.yaml"
    contract.write_text(contract.read_text().replace("- {name: autopay, logicalType: boolean}", PROTECTED))
    done = shell.run("run", "customers.yaml", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


def made(run: dict, name: str) -> Path:
    return Path(json.loads((Path(run["run"]) / "references.json").read_text())[name]["path"])


def test_every_piece_ran(run: dict) -> None:
    assert {"order", "leakage", "label-noise", "augment", "cross-validate"} <= set(pieces(run["stderr"]))
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


def test_slices_fairness_and_what_the_model_looks_at_are_told(run: dict) -> None:
    slices = json.loads((made(run, "slices") / "slices.json").read_text())
    assert sum(group["rows"] for group in slices["columns"]["country"]["groups"]) <= slices["rows"]
    assert {group["group"] for group in slices["fairness"]["autopay"]["groups"]} >= {"false", "true"}
    importance = json.loads((made(run, "explanation") / "explanation.json").read_text())["importance"]
    assert "churned" not in {each["column"] for each in importance["columns"]}
    page = Path(run["report"]).read_text()
    assert all(f'id="{section}"' in page for section in ("slices", "fairness", "explanation"))
    assert "fairness autopay demographic_parity_difference" in page
    assert "slices country log_loss" in page


def test_folds_predict_each_row_of_the_data_that_training_still_has(run: dict) -> None:
    found = json.loads((made(run, "cross_validation") / "cross_validation.json").read_text())
    predictions = pq.read_table(made(run, "cross_validation") / "oof.parquet")
    counted = json.loads((made(run, "training") / "augmentation.json").read_text())
    kept = sum(counted["before"].values()) - sum(counted["left_out"]["label_noise"].values())
    assert found["predicted"] == found["rows"] == predictions.num_rows == kept
    assert run["cross_validation"]["mean"] == found["mean"]
    assert found["mean"]["roc_auc"] > 0.5
    assert 'id="cross-validation"' in Path(run["report"]).read_text()
