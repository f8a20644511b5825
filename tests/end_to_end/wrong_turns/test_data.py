"""Wrong turns of the data that somebody brings: each ends in one sentence, or simply works."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from data_contracts.loader import load_contract
from pipelines.config import PipelineConfig, load_config
from tests.end_to_end.wrong_turns.conftest import Headrace, write_table

HERE = Path()


def _drafted(name: str) -> PipelineConfig:
    return load_config(Path("pipelines/configs") / f"{name}.yaml")


def test_bad_path(headrace: Headrace) -> None:
    write_table(HERE / "customers.csv")
    headrace("init", "custmers.csv", "--target", "kind").refused(2, "custmers.csv: there is no such", "customers.csv?")
    headrace("check", "nowhere.yaml").refused(2, "nowhere.yaml: no such file")
    assert not Path("pipelines").exists()


def test_wrong_target(headrace: Headrace) -> None:
    write_table(HERE / "a.csv")
    headrace("init", "a.csv", "--target", "kin").refused(
        2, "--target kin: there is no such column", "did you mean kind?"
    )
    assert headrace("init", "a.csv", "--target", "kind").code == 0
    config = "pipelines/configs/a.yaml"
    headrace("check", config, "--set", "target=kin").refused(2, "a.yaml:", "target", "kind")


def test_wrong_encoding(headrace: Headrace) -> None:
    write_table(HERE / "a.csv", {"city": ["Köln"] * 30 + ["Århus"] * 30})
    text = Path("a.csv").read_text(encoding="utf-8")
    Path("a.csv").write_bytes(text.encode("utf-32"))
    headrace("init", "a.csv", "--target", "kind").refused(2, "a.csv: the text is in UTF-32", "save it as UTF-8")
    Path("a.csv").write_bytes(text.encode("cp1252"))
    headrace("init", "a.csv", "--target", "städt").refused(2, "no such column", "save the file as UTF-8", "cp1252")
    assert headrace("init", "a.csv", "--target", "kind").code == 0
    headrace("check", "pipelines/configs/a.yaml", "--set", "source.encoding=utf-8").refused(2, "a.csv", "invalid")


@pytest.mark.parametrize(("name", "column"), [("my file (2).csv", "two words"), ("данные 数据.csv", "größe 🎉")])
def test_spaces_and_unicode_in_names(headrace: Headrace, name: str, column: str) -> None:
    folder = HERE / "a folder"
    folder.mkdir()
    write_table(folder / name, {column: [str(place % 7) for place in range(60)]})
    said = headrace("init", f"a folder/{name}", "--target", "kind")
    assert said.code == 0, said.err
    (config,) = Path("pipelines/configs").glob("*.yaml")
    assert column in {each.name for each in load_contract(load_config(config).contract).columns}
    assert headrace("check", str(config)).code == 0


def test_duplicate_column_names(headrace: Headrace) -> None:
    write_table(HERE / "a.csv", {"other": ["1", "2", "3"] * 20})
    text = Path("a.csv").read_text().replace("size,other", "size,size")
    Path("a.csv").write_text(text)
    said = headrace("init", "a.csv", "--target", "kind")
    assert said.code == 0
    assert "repeated" in said.out
    assert _drafted("a").source.columns == ("size", "size_2", "kind")


def test_one_row(headrace: Headrace) -> None:
    write_table(HERE / "a.csv", rows=1)
    headrace("init", "a.csv", "--target", "kind").refused(2, "1 row,", "too few to learn from")


def test_all_null(headrace: Headrace) -> None:
    Path("a.csv").write_text("size,kind\n" + ",a\n,b\n" * 30)
    headrace("init", "a.csv", "--target", "kind").refused(2, "no column is left", "`size`: holds no value")
    Path("a.csv").write_text("size,kind\n" + "1,\n2,\n" * 30)
    headrace("init", "a.csv", "--target", "kind").refused(2, "--target kind: it holds no value at all")


def test_mixed_types(headrace: Headrace) -> None:
    draw = random.Random(2)
    mixed = [str(draw.randint(1, 30)) for _ in range(54)] + ["many", "few", "some", "none of it", "lots", "two"]
    write_table(HERE / "a.csv", {"mixed": mixed})
    said = headrace("init", "a.csv", "--target", "kind")
    assert said.code == 0
    assert "`mixed`: mixed: 6 of 60 values are no number" in said.out


def test_future_dates(headrace: Headrace) -> None:
    write_table(HERE / "a.csv", {"due": [f"{2990 + place}-01-01" for place in range(60)]})
    said = headrace("init", "a.csv", "--target", "kind")
    assert said.code == 0
    assert "`due` has values in the future (up to 3049-01-01)" in said.out


def test_huge_integers(headrace: Headrace) -> None:
    big = [str(10**30 + place % 5) for place in range(60)]
    write_table(HERE / "a.csv", {"big": big, "large": ["9" * 17, "8" * 17] * 30})
    said = headrace("init", "a.csv", "--target", "kind")
    assert said.code == 0
    assert "`big`: whole numbers beyond 64 bits, read as text" in said.out
    assert "`large`: numbers beyond 2^53" in said.out


def test_changed_contract(headrace: Headrace) -> None:
    write_table(HERE / "a.csv")
    assert headrace("init", "a.csv", "--target", "kind").code == 0
    contract, config = Path("data_contracts/a.odcs.yaml"), "pipelines/configs/a.yaml"
    written = contract.read_text()
    contract.write_text(written.replace("name: size", "name: sizes"))
    headrace("check", config).refused(2, "a.csv", "lacks: `sizes`", "nearest: `size`")
    contract.write_text(written.replace("minimum: -", "minimum: ").replace("maximum: ", "maximum: 9"))
    headrace("check", config).refused(4, "break contract a", "a.odcs.yaml:", "`size`: expected minimum")
    contract.write_text("schema: [")
    headrace("check", config).refused(2, "a.odcs.yaml:1", "not valid YAML")
    headrace("check", "data_contracts/a.odcs.yaml").refused(2, "a.odcs.yaml", "not valid YAML")
    contract.write_text(written)
    headrace("check", str(contract)).refused(2, "a contract, and no pipeline's config")
