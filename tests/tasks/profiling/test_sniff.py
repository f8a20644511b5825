from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from tasks.errors import DataError
from tasks.profiling.dialect import find_dialect
from tasks.profiling.sniff import sniff


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "names"),
    [
        ("a,b\n1,2\n3,4\n", ",", True, ("a", "b")),
        ("a;b\n1,5;2\n3,5;4\n", ";", True, ("a", "b")),
        ("a\tb\n1\t2\n", "\t", True, ("a", "b")),
        ("a|b\n1|2\n", "|", True, ("a", "b")),
        ("1,2,x\n3,4,y\n5,6,x\n", ",", False, ("column_1", "column_2", "column_3")),
        ("e,x\np,x\ne,y\np,x\n", ",", False, ("column_1", "column_2")),
        ("country,2019,2020\nA,1,2\nB,3,4\n", ",", True, ("country", "2019", "2020")),
        (",x,x, y  z \n1,2,3,4\n", ",", True, ("column_1", "x", "x_2", "y z")),
        ("only\n1\n2\n", ",", True, ("only",)),
        ('name,said\n1,"a, b; c"\n2,"d, e"\n', ",", True, ("name", "said")),
    ],
)
def test_a_dialect_is_found_by_its_first_rows(text: str, delimiter: str, header: bool, names: tuple[str, ...]) -> None:
    found = find_dialect(text)
    assert (found.delimiter, found.header, found.names) == (delimiter, header, names)


def test_single_quotes_are_found() -> None:
    text = "a,b\n'x, y','1'\n'z','2'\n'w','3'\n"
    assert find_dialect(text).quote == "'"
    assert find_dialect('a,b\n"it\'s, y",1\n"z",2\n').quote == '"'


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_an_encoding_is_found(encoding: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name,city\nAnna,Köln\nBo,Århus\n".encode(encoding))
    assert sniff(path).source.encoding == found
    assert ("encoding" in sniff(path).assumed) == (found != "utf-8")


def test_every_kind_of_file_is_known_by_its_content(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2]})
    pq.write_table(table, tmp_path / "data.bin")
    feather.write_feather(table, str(tmp_path / "b.feather"), compression="uncompressed")
    (tmp_path / "c.jsonl").write_text(json.dumps({"a": 1}) + "\n")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n", mtime=0))
    assert sniff(tmp_path / "data.bin").source.format == "parquet"
    assert sniff(tmp_path / "b.feather").source.format is None
    assert sniff(tmp_path / "c.jsonl").source.format is None
    assert sniff(tmp_path / "d.csv.gz").source.delimiter == ","


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"  \n\n", "the file is empty"),
        ("a.csv", bytes(range(256)) * 4, "binary data"),
        ("a.zip", b"PK\x03\x04rest", "ZIP archive"),
        ("a.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "rename it to a.csv.gz"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:30], "cannot be read"),
        ("a.json", b'[{"a": 1}]', "one JSON list"),
        ("a.db", b"SQLite format 3\x00", "SQLite"),
        ("a.csv", b"Sales of May\n\na,b,c\n1,2,3\n4,5,6\n", "first line has 1 field, and most lines have 3 fields"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as error:
        sniff(path)
    assert str(path) in str(error.value)
    assert "\n  do: " in str(error.value)


def test_a_folder_is_one_source_if_its_files_are_alike(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no data"):
        sniff(tmp_path)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,y\n3,4\n")
    assert sniff(tmp_path).source.path == str(tmp_path)
    (tmp_path / "c.jsonl").write_text('{"x": 1}\n')
    with pytest.raises(DataError, match="several kinds"):
        sniff(tmp_path)


def test_a_wrong_path_gives_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match=r"did you mean .*customers\.csv"):
        sniff(tmp_path / "custmers.csv")
