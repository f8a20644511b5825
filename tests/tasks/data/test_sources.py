from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.data.sources import SourceConfig, list_files
from tasks.errors import DataError


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a\n1\n")


def _names(path: Path | str, **config) -> list[str]:
    return [file.name for file in list_files(SourceConfig(path=str(path), **config))]


def test_a_folder_gives_its_data_files_by_name(tmp_path: Path):
    _touch(tmp_path, "b.csv", "a/z.CSV.GZ", "c.txt", "_SUCCESS", ".hidden.csv", "_delta/x.csv", "a.csv")
    assert _names(tmp_path) == ["a/z.CSV.GZ", "a.csv", "b.csv"]


def test_a_file_is_named_by_itself(tmp_path: Path):
    _touch(tmp_path, "data.csv", "other.csv")
    assert _names(tmp_path / "data.csv") == ["data.csv"]


def test_a_pattern_gives_what_it_matches(tmp_path: Path):
    _touch(tmp_path, "2013/a.csv", "2014/a.csv", "2014/a.txt")
    assert _names(tmp_path / "*" / "*.csv") == ["2013/a.csv", "2014/a.csv"]


def test_the_format_can_be_said(tmp_path: Path):
    _touch(tmp_path, "data.txt")
    (file,) = list_files(SourceConfig(path=str(tmp_path / "data.txt"), format="csv"))
    assert file.format == "csv"


@pytest.mark.parametrize("name", ["missing.csv", "missing/*.csv", "empty"])
def test_nothing_there_is_an_error_that_names_the_path(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=rf"source .*{Path(name).name.replace('*', '.')}: .*\n  do: mend `source.path`"):
        list_files(SourceConfig(path=str(tmp_path / name)))


def test_two_formats_in_one_source_are_an_error(tmp_path: Path):
    _touch(tmp_path, "a.csv", "b.parquet")
    with pytest.raises(DataError, match="holds CSV and Parquet files"):
        list_files(SourceConfig(path=str(tmp_path)))


def test_a_config_typo_is_refused():
    with pytest.raises(ValidationError, match="delimeter"):
        SourceConfig(path="x", delimeter=";")


@pytest.mark.parametrize(
    "wrong", [{"delimiter": "§"}, {"delimiter": '"'}, {"delimiter": "\n"}, {"encoding": "klingon"}]
)
def test_what_no_csv_can_be_read_with_is_refused_at_once(wrong):
    with pytest.raises(ValidationError, match=r"one ASCII character|no encoding that Python knows"):
        SourceConfig(path="a.csv", **wrong)
