from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data_contracts.loader import load_contract
from pipelines.check import check_pipeline
from pipelines.config import load_config
from tasks.data.ingest import run_ingest
from tasks.data.outcomes import read_counts
from tasks.data.validate import ValidateConfig, run_validate
from tasks.engine import DaskConfig
from tasks.errors import ConfigError, DataError, TrainingError
from tests.pipelines.starting.conftest import Begin

CONFIG = Path("pipelines/configs")
CONTRACTS = Path("data_contracts")


def _csv(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def _simple(path: Path, rows: int = 60, **more: list[str]) -> Path:
    """Write `size`, which tells little of `kind`, and more columns."""
    draw = random.Random(1)
    table = {
        "size": [f"{draw.gauss(0, 1):.3f}" for _ in range(rows)],
        **more,
        "kind": [draw.choice(["a", "b"]) for _ in range(rows)],
    }
    return _csv(path, ",".join(table), [",".join(row) for row in zip(*table.values(), strict=True)])


def _quarantined(name: str, home: Path) -> int:
    """Hold the data against the contract that was written, as a run does."""
    config = load_config(CONFIG / f"{name}.yaml")
    contract = load_contract(config.contract)
    dask = DaskConfig(threads=1)
    raw = run_ingest(config.source, contract, home, dask)
    return sum(read_counts(run_validate(raw, contract, ValidateConfig(), home, dask)).quarantined.values())


def test_a_file_of_another_country_is_understood(begin: Begin, customers: Path, tmp_path: Path) -> None:
    started = begin(customers, "gekündigt")
    assert started.files == (CONTRACTS / "kunden_2024.odcs.yaml", CONFIG / "kunden_2024.yaml")
    contract = load_contract(started.files[0])
    types = {column.name: column.logical_type for column in contract.columns}
    assert types["Umsatz"] == "number"
    assert types["Seit"] == types["Geburtsdatum"] == "date"
    assert types["Alter in Jahren"] == "integer"
    assert contract.column("Kunden-Nr").primary_key_position == 1
    assert contract.column("Kunden-Nr").options["pattern"] == r"^[A-Z]\-[0-9]{5}$"
    assert contract.column("E-Mail").classification == contract.column("Geburtsdatum").classification == "restricted"
    assert contract.column("Tarif").enum == ("Basis", "Gold", "Plus")
    config = load_config(started.files[1])
    assert set(config.preprocess.exclude) == {"Kunden-Nr", "E-Mail", "Geburtsdatum"}
    assert (config.source.delimiter, config.source.encoding, config.split.method) == (";", "cp1252", "time")
    assert _quarantined("kunden_2024", tmp_path / "home") == 0
    assert any("e-mail addresses" in warning for warning in started.warnings)


def test_nothing_is_overwritten_without_force(begin: Begin, tmp_path: Path) -> None:
    source = _simple(tmp_path / "a.csv")
    begin(source, "kind")
    before = (CONFIG / "a.yaml").read_text()
    (CONFIG / "a.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"there already; nothing was written\n  do: .*--force"):
        begin(source, "kind")
    assert (CONFIG / "a.yaml").read_text() == "mine"
    begin(source, "kind", force=True)
    assert (CONFIG / "a.yaml").read_text() == before
    begin(source, "kind", out=tmp_path / "elsewhere", name="b")
    written = {path.name for path in (tmp_path / "elsewhere").iterdir()}
    assert written == {"b.yaml", "b.odcs.yaml", "pipeline.schema.json"}
    assert check_pipeline(tmp_path / "elsewhere" / "b.yaml").contract.name == "b"


def test_without_a_target_candidates_are_named_in_order(begin: Begin, customers: Path) -> None:
    with pytest.raises(ConfigError, match=r"--target is missing") as error:
        begin(customers)
    lines = str(error.value).splitlines()
    assert lines[1].split()[0] == "gekündigt"
    assert "binary" in lines[1]
    assert "--target gekündigt" in lines[-1]
    with pytest.raises(ConfigError, match=r"--target gekundigt: there is no such column\n  do: did you mean gekündigt"):
        begin(customers, "gekundigt")


def test_a_column_that_tells_the_target_is_no_feature(begin: Begin, tmp_path: Path) -> None:
    draw = random.Random(3)
    rows = []
    for _ in range(300):
        left = draw.random() < 0.4
        rows.append(f"{draw.gauss(left, 1):.3f},{'x' if left else 'y'},{left:d}")
    started = begin(_csv(tmp_path / "a.csv", "size,reason,left", rows), "left")
    config = load_config(CONFIG / "a.yaml")
    assert config.preprocess.exclude == ("reason",)
    assert any("`reason` alone tells `left`" in warning for warning in started.warnings)
    assert any("take it from `preprocess.exclude`" in warning for warning in started.warnings)
    assert ["reason", "text", "-", "2", "tells the target, so ask whether it is known beforehand"] in started.table


def test_columns_that_cannot_be_learned_from_are_left_out_with_a_reason(begin: Begin, tmp_path: Path) -> None:
    rows = 60
    _simple(
        tmp_path / "a.csv",
        rows,
        row=[str(place) for place in range(1, rows + 1)],
        same=["7"] * rows,
        empty=[""] * rows,
        said=[f"words no {place} and more" for place in range(rows)],
        label=[str(place % 7) for place in range(rows)],
        huge=[str(2**60 + place % 9) for place in range(rows)],
        beyond=[str(10**25 + place % 9) for place in range(rows)],
    )
    started = begin(tmp_path / "a.csv", "kind")
    config, contract = load_config(CONFIG / "a.yaml"), load_contract(CONTRACTS / "a.odcs.yaml")
    assert set(config.preprocess.exclude) >= {"row", "same", "empty", "said", "label", "huge"}
    assert contract.column("row").primary_key_position == 1
    assert contract.column("beyond").logical_type == "string"
    text = (CONFIG / "a.yaml").read_text()
    assert "- same  # holds the same value in every row" in text
    assert "- empty  # holds no value" in text
    assert any("60 rows are few" in warning for warning in started.warnings)
    assert _quarantined("a", tmp_path / "home") == 0


def test_names_of_every_kind_pass(begin: Begin, tmp_path: Path) -> None:
    names = ["two words", "größe", "2nd", "a:b", "#x", "'q'", "", "dup", "dup", "yes", "{}"]
    draw = random.Random(2)
    rows = [",".join(f"{draw.random():.4f}" for _ in names) + f",{draw.choice('ab')}" for _ in range(80)]
    _csv(tmp_path / "a.csv", ",".join([*names, "kind"]), rows)
    begin(tmp_path / "a.csv", "kind")
    config = load_config(CONFIG / "a.yaml")
    assert config.source.columns == ("two words", "größe", "2nd", "a:b", "#x", "'q'", "column_7", "dup", "dup_2", "yes",
                                     "{}", "kind")  # fmt: skip
    assert [column.name for column in load_contract(config.contract).columns] == list(config.source.columns)
    assert _quarantined("a", tmp_path / "home") == 0


def test_broken_lines_are_counted_and_go_into_quarantine(begin: Begin, tmp_path: Path) -> None:
    source = _simple(tmp_path / "a.csv")
    with source.open("a") as file:
        file.write("1,2,3,4\n")
    started = begin(source, "kind")
    assert started.warnings[0].startswith("1 rows could not be split")
    assert _quarantined("a", tmp_path / "home") == 1


def test_groups_and_times_decide_the_split(begin: Begin, tmp_path: Path) -> None:
    draw = random.Random(5)
    rows = [f"{number // 4},{draw.gauss(0, 1):.3f},{draw.choice('ab')}" for number in range(400)]
    begin(_csv(tmp_path / "visits.csv", "patient_id,pressure,outcome", rows), "outcome")
    config = load_config(CONFIG / "visits.yaml")
    assert (config.split.method, config.split.column, config.preprocess.keep) == (
        "group", "patient_id", ("patient_id",))  # fmt: skip
    assert "patient_id" in config.preprocess.exclude
    assert config.evaluate.groups == "patient_id"


@pytest.mark.parametrize(
    ("name", "content", "target", "said"),
    [
        ("a.csv", "x,y\n1,a\n", "y", "1 row, 1 of them with a `y`: too few to learn"),
        ("null.csv", "x,y\n" + ",a\n,b\n" * 30, "y", "no column is left to learn `y` from .*`x`: holds no value"),
        ("a.csv", "x,y\n1,a\n2,b\n", "y", "too few to learn"),
        ("a.csv", "x,y\n" + "1,a\n" * 30, "y", "the one value 'a' in all 30 rows"),
        ("a.csv", "x,y\n" + "1,\n" * 30, "y", "no value at all"),
        ("a.csv", "x,y\n", "y", "no row"),
        ("a.csv", "x,y\n" + "".join(f"{place},t{place}\n" for place in range(50)), "y", "no classes to predict"),
        ("a.csv", "x,y\n" + "".join(f"{place},2024-01-{place:02}\n" for place in range(1, 29)), "y", "a date"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_a_sentence(
    name: str, content: str, target: str, said: str, begin: Begin, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((ConfigError, DataError), match=said) as error:
        begin(tmp_path / name, target)
    assert "\n  do: " in str(error.value)
    assert not CONFIG.exists()


def test_labels_are_read_as_yes_and_no(begin: Begin, tmp_path: Path) -> None:
    draw = random.Random(6)
    rows = [f"{draw.gauss(0, 1):.3f},{draw.randint(0, 1)},{draw.randint(0, 1)}" for _ in range(200)]
    begin(_csv(tmp_path / "a.csv", "size,wet,cold", rows), "wet", "cold")
    config = load_config(CONFIG / "a.yaml")
    assert (config.problem, config.target) == ("multilabel", ("wet", "cold"))
    assert load_contract(config.contract).column("wet").logical_type == "boolean"


def test_json_lines_and_parquet_are_described(begin: Begin, tmp_path: Path) -> None:
    draw = random.Random(6)
    records = [{"size": draw.gauss(0, 1), "on": draw.random() < 0.5, "price": draw.gauss(9, 1)} for _ in range(150)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "b.parquet")
    for name in ("a.jsonl", "b.parquet"):
        begin(tmp_path / name, "price")
        config = load_config(CONFIG / f"{name[0]}.yaml")
        assert config.problem == "regression"
        assert [column.logical_type for column in load_contract(config.contract).columns] == [
            "number", "boolean", "number"]  # fmt: skip
        assert _quarantined(name[0], tmp_path / "home") == 0


def test_a_folder_of_images_is_a_class_each(begin: Begin, tmp_path: Path) -> None:
    for number in range(30):
        folder = tmp_path / "pets" / ("cat" if number % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 60), (number, 9, 9)).save(folder / f"{number}.png")
    started = begin(tmp_path / "pets")
    text = started.files[0].read_text()
    assert "image: {width: 64, height: 48, mode: RGB, resize: crop}" in text
    assert "floor: {balanced_accuracy: 0.75}" in text
    assert check_pipeline(started.files[0]).summary
    with pytest.raises(ConfigError, match="the folder is the class"):
        begin(tmp_path / "pets", "kind", force=True)
    Image.new("L", (8, 8)).save(tmp_path / "pets" / "loose.png")
    with pytest.raises(DataError, match="lie in no folder of a class"):
        begin(tmp_path / "pets", force=True)


def test_if_every_column_tells_the_target_nothing_is_written(begin: Begin, tmp_path: Path) -> None:
    rows = [f"{'x' if place % 2 else 'y'},{place % 2}" for place in range(200)]
    with pytest.raises((TrainingError, DataError)) as error:
        begin(_csv(tmp_path / "a.csv", "reason,left", rows), "left")
    assert "\n  do: " in str(error.value)
    assert not CONFIG.exists()
