import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import data_contracts.errors
import tasks.errors
from data_contracts.errors import ContractBrokenError, ContractError, SchemaMismatchError
from pipelines.cli import headrace, main
from pipelines.cli.outcome import report_failure
from serving.bundle.errors import BundleError, StoreError
from tasks.errors import (
    ConfigError,
    DataError,
    DiskFullError,
    GateRefusedError,
    IntegrityError,
    LeakageError,
    SchemaDriftError,
)
from tests.end_to_end.customers import write_project

HEAVY = ("torch", "prefect", "dask", "pandas", "pyarrow", "great_expectations", "onnxruntime", "pydantic")


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["headrace", *arguments])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path, rows=1_000)
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    return tmp_path


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from pipelines.cli import headrace
headrace(["--help"], standalone_mode=False)
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["backfill", "check", "deploy", "models", "run", "samples", "search", "serve"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(headrace, [name, "--help"])
    assert done.exit_code == 0
    assert f"headrace {name}" in done.output.split("Example:")[1]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError, 2),
        (ContractError, 2),
        (DataError, 2),
        (SchemaDriftError, 2),
        (SchemaMismatchError, 2),
        (StoreError, 2),
        (GateRefusedError, 3),
        (ContractBrokenError, 4),
        (LeakageError, 4),
        (BundleError, 1),
        (DiskFullError, 1),
        (IntegrityError, 1),
    ],
)
def test_each_error_has_its_exit_code(error: type[ValueError], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(error("what went wrong"), as_json=True) == code
    out, err = capsys.readouterr()
    assert err == "error: what went wrong\n"
    said = json.loads(out)
    assert (said["exit_code"], said["error"], said["message"]) == (code, error.__name__, "what went wrong")


def test_no_error_of_the_tasks_or_the_contracts_was_forgotten() -> None:
    for module in (data_contracts.errors, tasks.errors):
        for error in vars(module).values():
            if isinstance(error, type) and issubclass(error, ValueError):
                assert report_failure(error("what went wrong"), as_json=False) > 0


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="unforeseen"):
        report_failure(ValueError("unforeseen"), as_json=False)


def test_a_home_that_cannot_be_written_to_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "file").touch()
    monkeypatch.setenv("HEADRACE_HOME", str(project / "file"))
    assert run_main(monkeypatch, "run", str(project / "customers.yaml")) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {project / 'file'}: Headrace keeps everything it makes there and cannot write to it")
    assert "do: set HEADRACE_HOME" in err


def test_check_finds_a_good_pipeline_good(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "check", str(project / "customers.yaml"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "good"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("target=chuned", "did you mean `churned`?"),
        ("target=monthly", "customers.yaml:17: promote.gates.floor.roc_auc: `roc_auc` is a metric of"),
        ("problem=regression", "`churned` is of type boolean ("),
        ("preprocess.exclude=[agee]", "did you mean `age`?"),
        ("promote.gates.floor={roc_ac: 0.5}", "did you mean `roc_auc`?"),
        ("split={method: group, column: contry}", "did you mean `country`?"),
        ("split={method: time, column: plan}", "needs instants"),
        ("contract=nothing.yaml", "no such file"),
    ],
)
def test_check_says_what_does_not_fit(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, message: str
) -> None:
    assert run_main(monkeypatch, "check", str(project / "customers.yaml"), "--set", setting) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["label", "probabilities"])
def test_check_refuses_a_feature_with_the_name_of_an_output(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    contract = project / "customers.odcs.yaml"
    contract.write_text(contract.read_text().replace("{name: country,", f"{{name: {name},"))
    config = str(project / "customers.yaml")
    assert run_main(monkeypatch, "check", config) == 2
    assert f"the feature `{name}` has the name of one of the model's outputs" in capsys.readouterr().err
    left_out = f"preprocess.exclude=[customer_id, {name}]"
    assert run_main(monkeypatch, "check", config, "--quick", "--set", left_out) == 0


def test_check_refuses_a_rule_that_cannot_be_executed(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = project / "customers.odcs.yaml"
    rule = (
        "      - {name: plan_order, type: custom, engine: greatExpectations, implementation: {expectation_type: "
        "expect_column_values_to_match_like_pattern, kwargs: {column: plan, like_pattern: 'b%'}}}\n"
    )
    text = contract.read_text().replace("    properties:\n", rule + "    properties:\n", 1)
    contract.write_text(text)
    line = text.splitlines().index(rule.rstrip("\n")) + 1
    assert run_main(monkeypatch, "check", str(project / "customers.yaml")) == 2
    assert f"{contract}:{line}: rule " in capsys.readouterr().err


def test_check_says_which_expectations_are_slow(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = project / "customers.odcs.yaml"
    rule = (
        "      - {name: calls_grow, type: custom, engine: greatExpectations, implementation: {expectation_type: "
        "expect_column_values_to_be_increasing, kwargs: {column: calls}}}\n"
    )
    contract.write_text(contract.read_text().replace("    properties:\n", rule + "    properties:\n", 1))
    assert run_main(monkeypatch, "check", str(project / "customers.yaml"), "--quick", "--json") == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert "calls_grow runs per partition" in note


def test_models_of_an_empty_store(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "models", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)["versions"] == []
    assert run_main(monkeypatch, "models", "rollback", "churn") == 2
    assert run_main(monkeypatch, "models", "show", "../churn") == 2
    assert run_main(monkeypatch, "models", "promote", "churn", "1") == 2


def test_serve_without_a_store(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "serve") == 2
    assert "no model store there" in capsys.readouterr().err


def test_unknown_words_end_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(monkeypatch, "rum") == 2
    assert run_main(monkeypatch, "run") == 2
