"""What `headrace check` says of the first rows of a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.errors import ContractBrokenError, SchemaMismatchError
from pipelines.checking.rows import FirstRows
from pipelines.checking.source import Looked
from tasks.errors import DataError, SchemaDriftError, TrainingError
from tests.pipelines.checking.conftest import csv_of, good


def test_rows_that_fit_are_said_to(project: Path, first_rows: Callable[..., FirstRows]) -> None:
    (project / "houses.csv").write_text(csv_of(good(60)))
    found = first_rows()
    assert found.summary == "1 file; all 60 rows looked at: 60 keep the contract"
    assert found.notes == ("target `sold`: `true` 66.7%, `false` 33.3%",)
    assert (found.rows, found.counted, found.quarantined) == (60, True, {})
    assert not (project.parent / "home").exists()
    assert sorted(path.name for path in project.iterdir()) == ["houses.csv", "houses.odcs.yaml", "houses.yaml"]


def test_rows_that_break_rules_are_counted_and_confidential_values_hidden(
    project: Path, first_rows: Callable[..., FirstRows]
) -> None:
    rows = good(2_000)
    rows[3:5] = [(3, "0", "Ada", "true"), (4, "two", "Ada", "true")]
    rows[9] = (9, "1", "Nebuchadnezzar", "")
    text = csv_of(rows).replace("\n7,", "\n7,7,7,7,7,7,7,7\n7,", 1)
    (project / "houses.csv").write_text(text)
    found = first_rows()
    assert found.summary.startswith("1 file; the first 1,000 of about 2,")
    assert found.quarantined == {"csv.broken_row": 1, "owner.max_length": 1, "rooms.minimum": 1, "rooms.type": 1}
    said = "\n".join(found.notes)
    assert (
        f"{project}/houses.odcs.yaml:13: `rooms`: expected minimum 1, got such as `0`: 1 of 1,000 rows (0.1%)" in said
    )
    assert "got such as `two`" in said
    assert "cannot be split into fields" in said
    assert "got such as `***`" in said
    assert "Nebuchadnezzar" not in said
    assert 1_900 < found.rows < 2_100


def test_columns_that_the_contract_does_not_name_are_listed(
    project: Path, first_rows: Callable[..., FirstRows]
) -> None:
    table = pa.table(
        {"id": range(9), "rooms": [1] * 9, "owner": ["A"] * 9, "sold": [True, None, False] * 3, "x": [1] * 9}
    )
    pq.write_table(table, project / "houses.parquet")
    unknown, classes, without = first_rows("source.path=houses.parquet").notes
    assert "does not name these columns, and a run leaves them out: `x`" in unknown
    assert classes == "target `sold`: `true` 50.0%, `false` 50.0%"
    assert without.startswith("target `sold`: 33.3% of the rows have none")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file or folder\n  do: mend `source.path`"),
        (b"", "houses.csv: the file is empty"),
        (b"id,room,owner,sold\n1,2,a,true\n", "the file lacks: `rooms` (nearest: `room`)"),
        (b"id,rooms,owner,sold\n", "the files hold columns but no row"),
        (b"id,rooms,owner,sold\n1,2,\xff,true\n", "cannot be read as csv"),
        (b"id,id,rooms,owner,sold\n1,1,2,a,true\n", "columns that occur more than once: `id`"),
    ],
)
def test_a_source_that_a_run_would_refuse_is_refused_with_its_place(
    project: Path, looked: Callable[..., Looked], content: bytes | None, said: str
) -> None:
    if content is not None:
        (project / "houses.csv").write_bytes(content)
    with pytest.raises(DataError) as refused:
        looked()
    assert str(refused.value).startswith(f"{project / 'houses.yaml'}:6: ")
    assert said in str(refused.value)


def test_files_that_are_torn_or_not_alike_are_refused(project: Path, looked: Callable[..., Looked]) -> None:
    (project / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"torn.parquet: cannot be read as parquet"):
        looked("source.path=torn.parquet")
    folder = project / "houses"
    folder.mkdir()
    (folder / "a.csv").write_text(csv_of(good(20)))
    (folder / "b.csv").write_text("id,rooms,owner\n1,2,a\n")
    with pytest.raises(SchemaDriftError, match=r"b\.csv: schema drift: column `sold` is missing"):
        looked("source.path=houses")


def test_every_column_of_a_wrong_type_is_named_with_its_line(project: Path, looked: Callable[..., Looked]) -> None:
    table = pa.table({"id": [[1]], "rooms": [1], "owner": ["A"], "sold": [{"yes": 1}]})
    pq.write_table(table, project / "houses.parquet")
    with pytest.raises(SchemaMismatchError) as refused:
        looked("source.path=houses.parquet")
    first, _, second, _ = str(refused.value).splitlines()
    assert "houses.odcs.yaml:12: column id: the data has Arrow type list" in first
    assert "houses.odcs.yaml:15: column sold: the data has Arrow type struct" in second


def test_too_many_broken_rows_stop_where_that_is_certain(project: Path, first_rows: Callable[..., FirstRows]) -> None:
    broken = [(number, "0", "Ada", "true") for number in range(1_200)]
    (project / "houses.csv").write_text(csv_of(broken))
    with pytest.raises(
        ContractBrokenError, match=r"1,000 of 1,000 rows \(100.0%\) break .*allows 5.0%; the worst rule:"
    ):
        first_rows()
    half = [*broken[:500], *good(1_200)[500:]]
    (project / "houses.csv").write_text(csv_of(half))
    assert any("a run would stop if all rows were like the first" in note for note in first_rows().notes)
    (project / "houses.csv").write_text(csv_of(half[400:600]))
    with pytest.raises(ContractBrokenError, match=r"100 of 200 rows"):
        first_rows()
    assert first_rows("validate.max_quarantined=0.5").quarantined == {"rooms.minimum": 100}


def test_a_target_with_one_value(project: Path, first_rows: Callable[..., FirstRows]) -> None:
    same = [(number, "1", "Ada", "true") for number in range(1_200)]
    (project / "houses.csv").write_text(csv_of(same))
    (note,) = first_rows().notes
    assert (
        "houses.odcs.yaml:15: target `sold`: expected at least two values to tell apart, got the one value `true`"
        in note
    )
    (project / "houses.csv").write_text(csv_of(same[:50]))
    with pytest.raises(TrainingError, match="in all 50 rows\n  do: bring rows of another one"):
        first_rows()
    (project / "houses.csv").write_text(csv_of([(1, "1", "Ada", "")]))
    with pytest.raises(TrainingError, match="got no value in all 1 rows"):
        first_rows()
