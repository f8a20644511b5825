import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from data_contracts.diff_change import CONSEQUENCES as KNOWN
from pipelines.cli import headrace, main
from pipelines.cli.contract import CONSEQUENCES
from tests.end_to_end.customers import write_project


@pytest.fixture
def contracts(tmp_path: Path) -> tuple[Path, Path]:
    """A contract, and its next version in which customers are at most 90 years old."""
    write_project(tmp_path, rows=20)
    old, new = tmp_path / "customers.odcs.yaml", tmp_path / "customers-2.odcs.yaml"
    text = old.read_text()
    assert "version: 1.0.0" in text
    new.write_text(text.replace("version: 1.0.0", "version: 2.0.0").replace("maximum: 110", "maximum: 90"))
    return old, new


def _diff(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["headrace", "contract", "diff", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_what_changed_is_said(
    contracts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _diff(monkeypatch, *contracts, "--json") == 0
    said_of_it = capsys.readouterr()
    lines = said_of_it.err.splitlines()
    assert lines[0].startswith("breaks-clients columns.age.options.maximum: tightened, 110 -> 90: values that were")
    assert lines[1] == 'nothing        version: changed, "1.0.0" -> "2.0.0": it only names the contract'
    assert lines[2].startswith("2 changes; breaks-clients: ")
    said = json.loads(said_of_it.out)
    assert said["worst"] == "breaks-clients"
    assert [change["path"] for change in said["changes"]] == ["columns.age.options.maximum", "version"]


@pytest.mark.parametrize(
    ("consequence", "turned", "code"),
    [("breaks-clients", False, 3), ("retrain", False, 3), ("retrain", True, 0), ("revalidate", True, 3)],
)
def test_a_consequence_can_fail_a_build(
    contracts: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    consequence: str,
    turned: bool,
    code: int,
) -> None:
    order = reversed(contracts) if turned else contracts
    assert _diff(monkeypatch, *order, "--fail-on", consequence) == code
    assert ("reaches --fail-on" in capsys.readouterr().err) == bool(code)


def test_nothing_changed(
    contracts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _diff(monkeypatch, contracts[0], contracts[0], "--fail-on", "nothing") == 0
    assert capsys.readouterr().out.startswith("0 changes; nothing: ")


def test_a_config_weighs_the_changes(
    contracts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = contracts[0].with_name("customers.yaml")
    assert _diff(monkeypatch, *contracts, "--config", config, "--fail-on", "breaks-clients") == 3
    # No request sends the key, and no feature is made of it.
    text = contracts[0].read_text()
    contracts[1].write_text(text.replace("customer_id, logicalType: integer", "customer_id, logicalType: number"))
    assert _diff(monkeypatch, *contracts, "--fail-on", "breaks-clients") == 3
    assert _diff(monkeypatch, *contracts, "--config", config, "--fail-on", "retrain") == 0
    assert "revalidate     columns.customer_id.logical_type" in capsys.readouterr().out


def test_a_wrong_file_ends_with_2(
    contracts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _diff(monkeypatch, contracts[0], "nothing.yaml") == 2
    assert "nothing.yaml: no such file" in capsys.readouterr().err
    contracts[1].write_text(contracts[1].read_text().replace("logicalType: boolean", "logicalType: bool", 1))
    assert _diff(monkeypatch, *contracts, "--json") == 2
    captured = capsys.readouterr()
    assert "customers-2.odcs.yaml:" in captured.err
    assert json.loads(captured.out.splitlines()[-1])["error"] == "ContractError"
    assert _diff(monkeypatch, *contracts, "--fail-on", "everything") == 2


def test_a_terminal_sees_a_table(contracts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(headrace, ["contract", "diff", *map(str, contracts)])
    assert shown.exit_code == 0
    assert "┃" in shown.output
    assert "columns.age.options.maximum" in shown.output
    assert "tightened, 110 -> 90" in shown.output


def test_help_tells_the_consequences_and_exit_codes() -> None:
    assert CONSEQUENCES == KNOWN
    text = " ".join(CliRunner().invoke(headrace, ["contract", "diff", "--help"], terminal_width=200).output.split())
    assert "nothing, revalidate, refit, retrain, breaks-clients" in text
    assert "3 only with --fail-on" in text
    assert "headrace contract diff" in CliRunner().invoke(headrace, ["contract", "--help"]).output.split("Example:")[1]
