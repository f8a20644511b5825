"""What a user does: one project, from its first run to the endpoint. The tests of this file build on each other."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pyarrow.dataset as ds
import pytest
import tritonclient.http as triton

from tests.end_to_end.cluster import dask_cluster
from tests.end_to_end.conftest import Shell, free_port
from tests.end_to_end.customers import Defects, write_project

CUSTOMER = {
    "signed_up": "2023-04-01T12:00:00Z",
    "plan": "basic",
    "country": None,
    "age": None,
    "monthly": 80.5,
    "calls": 11,
    "autopay": None,
}
DATATYPES = {"age": "INT64", "monthly": "FP64", "calls": "INT64", "autopay": "BOOL"}


@pytest.fixture(scope="module")
def defects(shell: Shell) -> Defects:
    return write_project(shell.folder)


@pytest.fixture(scope="module")
def first_run(shell: Shell, defects: Defects) -> dict:
    done = shell.run("run", "customers.yaml", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


def pieces(stderr: str) -> dict[str, str]:
    """Return how each piece ended: its time, or `reused`."""
    return dict(re.findall(r"^([\w-]+) .* (reused|[0-9.]+ s)$", stderr, re.MULTILINE))


@contextmanager
def endpoint(shell: Shell) -> Iterator[str]:
    server = shell.start("serve", "--port", "0")
    try:
        line = server.stdout.readline()
        yield re.search(r"http://(\S+)", line).group(1)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def request(**changes: object) -> dict:
    values = CUSTOMER | changes
    return {
        "inputs": [
            {"name": name, "datatype": DATATYPES.get(name, "BYTES"), "shape": [1], "data": [value]}
            for name, value in values.items()
        ]
    }


def test_the_first_run_promotes_a_model_that_beats_its_baseline(first_run: dict) -> None:
    assert first_run["status"] == "promoted"
    assert first_run["version"] == "1"
    assert first_run["metrics"]["roc_auc"] > 0.6
    names = [
        "ingest",
        "validate",
        "clean",
        "split",
        "leakage",
        "fit",
        "transform",
        "train",
        "calibrate",
        "evaluate",
        "slices",
        "explain",
        "export",
        "verify",
    ]
    assert list(pieces(first_run["stderr"])) == [*names, "promote"]


def test_every_defect_is_accounted_for(first_run: dict, defects: Defects) -> None:
    run = Path(first_run["run"])
    references = json.loads((run / "references.json").read_text())
    accounting = json.loads((Path(references["clean"]["path"]) / "accounting.json").read_text())
    assert accounting["rows_in"] == defects.rows + defects.duplicates + defects.broken
    assert accounting["quarantined"] == {
        "plan.pattern": defects.bad_plan,
        "age.minimum": defects.bad_age,
        "csv.broken_row": defects.broken,
    }
    assert accounting["duplicates"] == defects.duplicates
    quarantine = ds.dataset(Path(references["validation"]["path"]) / "quarantine").to_table()
    assert quarantine.num_rows == defects.bad_plan + defects.bad_age + defects.broken


def test_the_report_stands_alone(first_run: dict) -> None:
    page = Path(first_run["report"]).read_text()
    assert "plan.pattern" in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)


def test_data_docs_say_which_expectations_fail(first_run: dict) -> None:
    pages = Path(first_run["data_docs"]).parent
    result = json.loads((pages / "validation.json").read_text())
    assert result["statistics"]["unsuccessful_expectations"] > 0
    assert "plan.pattern" in (pages / "result.html").read_text()


def test_the_prefect_run_page_has_its_artifacts(first_run: dict, prefect_api: str) -> None:
    found = httpx.post(f"{prefect_api}/artifacts/filter", json={"limit": 200}).json()
    keys = {artifact["key"] for artifact in found}
    assert keys >= {
        "validation",
        "worst-slices",
        "quarantine-reasons",
        "row-accounting",
        "leakage",
        "loss-curves",
        "metrics",
        "parity-certificate",
        "gates",
        "model-card-churn",
        "summary-customers",
    }
    flows = httpx.post(f"{prefect_api}/flow_runs/filter", json={}).json()
    completed = {flow["id"] for flow in flows if flow["state_type"] == "COMPLETED"}
    assert any(flow["id"] in completed and flow["name"].startswith("customers-") for flow in flows)


def test_a_second_run_reuses_everything_and_gives_the_same_bundle(shell: Shell, first_run: dict) -> None:
    done = shell.run("run", "customers.yaml", "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout.splitlines()[-1])
    assert {name for name, how in pieces(done.stderr).items() if how != "reused"} == {"ingest", "promote"}
    assert (again["version"], again["digest"]) == (first_run["version"], first_run["digest"])


def test_the_endpoint_answers_raw_records(shell: Shell, first_run: dict) -> None:
    with endpoint(shell) as address:
        answer = httpx.post(f"http://{address}/v2/models/churn/infer", json=request()).json()
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        assert len(outputs["probabilities"]) == 2
        assert sum(outputs["probabilities"]) == pytest.approx(1, abs=1e-6)
        assert outputs["label"] == [outputs["probabilities"][1] > outputs["probabilities"][0]]


def test_a_triton_client_is_answered(shell: Shell, first_run: dict) -> None:
    values = CUSTOMER | {"country": "AT", "age": 40, "autopay": True}
    kinds = {"BYTES": np.object_, "FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_}
    inputs = []
    for name, value in values.items():
        datatype = DATATYPES.get(name, "BYTES")
        inputs.append(triton.InferInput(name, [1], datatype))
        inputs[-1].set_data_from_numpy(np.array([value], dtype=kinds[datatype]), binary_data=False)
    wanted = [triton.InferRequestedOutput("probabilities", binary_data=False)]
    with endpoint(shell) as address:
        client = triton.InferenceServerClient(address)
        assert client.is_model_ready("churn")
        probabilities = client.infer("churn", inputs, outputs=wanted).as_numpy("probabilities")
    assert probabilities.shape == (1, 2)
    assert probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_a_request_that_breaks_the_contract_is_refused_with_column_rule_and_row(shell: Shell, first_run: dict) -> None:
    with endpoint(shell) as address:
        answer = httpx.post(f"http://{address}/v2/models/churn/infer", json=request(plan="gold"))
        assert answer.status_code == 400
        assert answer.json()["violations"][0] | {"expected": ""} == {
            "column": "plan",
            "rule": "plan.pattern",
            "row": 0,
            "expected": "",
            "got": "gold",
        }


def test_a_refused_gate_exits_3_and_leaves_the_champion(shell: Shell, first_run: dict) -> None:
    done = shell.run("run", "customers.yaml", "--set", "train.seed=1", "--set", "promote.gates.floor.roc_auc=0.999")
    assert done.returncode == 3, done.stderr
    assert "floor roc_auc: expected >= 0.999, got 0." in done.stderr
    assert "short by" in done.stderr
    assert "Traceback" not in done.stderr
    champion = json.loads((shell.folder / "home" / "models" / "churn" / "champion").read_text())
    assert champion["version"] == "1"
    assert "* churn  1" in shell.run("models", "list").stdout
    by_hand = shell.run("models", "promote", "churn", "2")
    assert by_hand.returncode == 3
    assert "refused by floor roc_auc" in by_hand.stderr


def test_the_endpoint_takes_over_a_new_champion_and_a_rollback(shell: Shell, first_run: dict) -> None:
    with endpoint(shell) as address:

        def version() -> str:
            answer = httpx.post(f"http://{address}/v2/models/churn/infer", json=request())
            assert answer.status_code == 200
            return answer.json()["model_version"]

        assert version() == "1"
        done = shell.run("run", "customers.yaml", "--set", "train.seed=2", "--set", "promote.gates.gain={}")
        assert done.returncode == 0, done.stderr
        newest = shell.run("models", "list").stdout.split("* churn  ")[1].split()[0]
        assert newest != "1"
        _until(lambda: version() == newest)
        assert shell.run("models", "rollback", "churn").returncode == 0
        _until(lambda: version() == "1")


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_rule_that_nothing_satisfies_exits_4_and_keeps_the_quarantine(shell: Shell, first_run: dict) -> None:
    contract = (shell.folder / "customers.odcs.yaml").read_text()
    (shell.folder / "strict.odcs.yaml").write_text(contract.replace("maximum: 110", "maximum: 18"))
    config = (shell.folder / "customers.yaml").read_text().replace("customers.odcs", "strict.odcs")
    (shell.folder / "strict.yaml").write_text(config)
    done = shell.run("run", "strict.yaml", "--json")
    assert done.returncode == 4, done.stderr
    assert "age.maximum" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == 4
    kept = re.search(r"look at the rows in (\S+),", done.stderr).group(1)
    assert ds.dataset(kept).count_rows() > 3000


def test_a_leak_exits_4_unless_it_is_accepted_by_name(shell: Shell, first_run: dict) -> None:
    strict = ("run", "customers.yaml", "--json", "--set", "leakage.auc=0.62")
    done = shell.run(*strict)
    assert done.returncode == 4, done.stderr
    found = re.findall(r"target-in-disguise:\w+", done.stderr)
    assert "target-in-disguise:calls" in found
    accepted = shell.run(*strict, "--set", f"leakage.accept={sorted(set(found))}")
    assert accepted.returncode == 0, accepted.stderr


def test_an_existing_dask_cluster_gives_the_same_bundle(shell: Shell, first_run: dict) -> None:
    elsewhere = Shell(shell.folder, {**shell.variables, "HEADRACE_HOME": str(shell.folder / "elsewhere")})
    with dask_cluster() as cluster:
        done = elsewhere.run("run", "customers.yaml", "--json", "--set", f"dask.scheduler_address={cluster.address}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["digest"] == first_run["digest"]


def test_a_dask_cluster_that_does_not_answer_is_named(shell: Shell, first_run: dict) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    done = shell.run("run", "customers.yaml", "--set", f"dask.scheduler_address={address}")
    assert done.returncode == 2, done.stderr
    assert f"no scheduler answers at {address}" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_server_prefect_is_embedded(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_project(shell.folder, rows=1000)
    done = shell.run("run", "customers.yaml", "--set", "promote.gates.floor={}", "--query", "--json")
    assert done.returncode == 0, done.stderr
    assert '"model_name":"churn"' in done.stderr
    assert (tmp_path / "prefect").is_dir()
