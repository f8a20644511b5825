from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pytest
from pydantic import ValidationError

from data_contracts.contract import Column, Contract
from tasks.data.ingest import run_ingest
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.sources import SourceConfig
from tasks.engine import DaskConfig
from tasks.errors import DataError


def _contract(*names: str) -> Contract:
    columns = tuple(Column(name=name, logical_type="string") for name in names)
    return Contract(name="c", version="1", path="c.yaml", digest="d", columns=columns)


def _ingested(source: SourceConfig, contract: Contract, home: Path) -> tuple[dict[str, list[object]], int]:
    raw = run_ingest(source, contract, home, DaskConfig(threads=1))
    manifest = read_manifest(raw)
    tables = [read_partition(raw.folder, partition) for partition in manifest.partitions]
    return pa.concat_tables(tables).to_pydict(), manifest.broken_rows


def test_json_lines_become_text_and_broken_ones_are_set_aside(tmp_path: Path) -> None:
    lines = [
        json.dumps({"a": 1, "b": "x"}),
        json.dumps({"a": 2.5, "c": [1, 2]}),
        "",
        "{broken",
        "[1]",
        json.dumps({"b": "ö", "a": True}),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    rows, broken = _ingested(SourceConfig(path=str(tmp_path)), _contract("a", "b", "c"), tmp_path / "home")
    assert rows == {"a": ["1", "2.5", "true"], "b": ["x", None, "ö"], "c": [None, "[1, 2]", None]}
    assert broken == 2


def test_a_json_list_is_no_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("[\n1,\n2\n]\n")
    with pytest.raises(DataError, match="no JSON object"):
        run_ingest(
            SourceConfig(path=str(next(tmp_path.glob("a.*")))), _contract("a"), tmp_path / "home", DaskConfig(threads=1)
        )


def test_arrow_files_are_read(tmp_path: Path) -> None:
    feather.write_feather(pa.table({"a": [1, 2], "b": ["x", None]}), str(tmp_path / "a.feather"))
    rows, _ = _ingested(SourceConfig(path=str(tmp_path / "a.feather")), _contract("b", "a"), tmp_path / "home")
    assert rows == {"a": [1, 2], "b": ["x", None]}
    (tmp_path / "a.feather").write_bytes(b"ARROW1 torn")
    with pytest.raises(DataError, match="cannot be read as arrow"):
        run_ingest(
            SourceConfig(path=str(next(tmp_path.glob("a.*")))), _contract("a"), tmp_path / "home", DaskConfig(threads=1)
        )


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("1,x\n2,'y, z'\n", {"header": False, "columns": ("a", "b"), "quote": "'"}),
        ('a,a\n1,x\n2,"y, z"\n', {"columns": ("a", "b")}),
    ],
)
def test_columns_are_named_by_the_config(text: str, config: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    rows, broken = _ingested(SourceConfig(path=str(tmp_path), **config), _contract("a", "b"), tmp_path / "home")
    assert (rows, broken) == ({"a": ["1", "2"], "b": ["x", "y, z"]}, 0)


def test_the_number_of_names_must_fit(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,x\n")
    source = SourceConfig(path=str(tmp_path), header=False, columns=("a", "b", "c"))
    with pytest.raises(DataError, match=r"2 columns, and source\.columns names 3"):
        run_ingest(source, _contract("a"), tmp_path / "home", DaskConfig(threads=1))


@pytest.mark.parametrize("wrong", [{"header": False}, {"columns": ("a", "a")}, {"columns": ("",)}, {"quote": "a"}])
def test_a_source_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SourceConfig(path="a.csv", **wrong)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\n1,ö\n".encode(encoding))
    rows, _ = _ingested(SourceConfig(path=str(tmp_path), encoding=encoding), _contract("a", "b"), tmp_path / "home")
    assert rows == {"a": ["1"], "b": ["ö"]}
