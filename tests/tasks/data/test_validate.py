import errno
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from data_contracts.contract import ExpectationRule, RowRule, TableRule
from data_contracts.errors import ContractBrokenError
from data_contracts.measurements import Measurements
from tasks.data.outcomes import ValidateConfig, read_counts, read_outcomes, require_kept
from tasks.data.validate import run_validate
from tasks.data.verdicts import ALONE, BETWEEN, FIRST, LAST, read_verdicts
from tasks.errors import DataError, DiskFullError, IntegrityError
from tests.tasks.data.tables import contract_of, ingest, write_parquet

RULES = (
    RowRule(id="word.required", column="word", kind="required"),
    RowRule(id="size.max", column="size", kind="maximum", argument=10, line=12),
)
CONTRACT = contract_of({"id": "integer", "word": "string", "size": "number"}, key=("id",), rules=RULES)
DIRTY = "id,word,size\n1,a,1\n1,a,1\n2,b,2\n2,b,3\nx,c,4\n4,,99\nbroken\n5,e,11\n6,f,\n1,a,1\n"


def _validate(tmp_path: Path, dask, contract=CONTRACT, content=DIRTY, config=ValidateConfig()):  # noqa: B008
    (tmp_path / "dirty.csv").write_text(content)
    raw = ingest(tmp_path / "dirty.csv", contract, tmp_path / "home", dask)
    return run_validate(raw, contract, config, tmp_path / "home", dask)


def _quarantine(validation) -> list[tuple]:
    table = ds.dataset(Path(validation.path) / "quarantine").to_table()
    rows = table.select(["source_row", "rule_id", "id", "word", "size", "source_text"]).to_pylist()
    return sorted(tuple(row.values()) for row in rows)


def test_every_row_has_its_verdict_and_the_quarantine_says_why(tmp_path: Path, dask):
    validation = _validate(tmp_path, dask)
    assert (validation.rows, validation.kept, validation.quarantined) == (10, 4, 6)
    rules, copies = read_verdicts(Path(validation.path), 0)
    ids = [rule.id for rule in (*CONTRACT.row_rules, *CONTRACT.key_rules)]
    assert [None if rule < 0 else ids[rule] for rule in rules] == [
        None,
        None,
        "key",
        "key",
        "id.type",
        "word.required",
        "size.max",
        None,
        None,
    ]
    assert copies.tolist() == [FIRST, BETWEEN, ALONE, ALONE, ALONE, ALONE, ALONE, ALONE, LAST]
    assert _quarantine(validation) == [
        (3, "key", "2", "b", "2", None),
        (4, "key", "2", "b", "3", None),
        (5, "id.type", "x", "c", "4", None),
        (6, "word.required", "4", "", "99", None),
        (7, "csv.broken_row", None, None, None, "broken"),
        (8, "size.max", "5", "e", "11", None),
    ]
    assert read_counts(validation).quarantined == {
        "csv.broken_row": 1,
        "id.type": 1,
        "key": 2,
        "size.max": 1,
        "word.required": 1,
    }
    assert read_counts(validation).duplicates == 2


def test_outcomes_count_every_row_that_breaks_a_rule(tmp_path: Path, dask):
    outcomes = {outcome.id: outcome for outcome in read_outcomes(_validate(tmp_path, dask))}
    assert outcomes["size.max"].broken == 2
    assert outcomes["size.max"].examples == ("99.0", "11.0")
    assert outcomes["key"].broken == 3
    assert outcomes["word.type"].passed


def test_validating_again_gives_the_same_digest_and_nothing_passing_is_left(tmp_path: Path, dask):
    first, second = (_validate(tmp_path, dask) for _ in range(2))
    assert first == second
    assert sorted(each.name for each in Path(first.path).iterdir()) == [
        "counts.json",
        "measurements.json",
        "outcomes.json",
        "quarantine",
        "rows",
        "verdicts",
    ]


def test_partitions_and_buckets_do_not_change_the_verdicts(tmp_path: Path, dask, monkeypatch):
    table = pa.table({"id": [1, 2, 3, 1, 2, 5, 3, None], "word": list("abcabeca"), "size": [1.0, 2, 3, 1, 9, 5, 3, 0]})
    found = []
    for row_group, per_bucket in ((8, 100), (3, 3), (1, 2)):
        monkeypatch.setattr("tasks.data.duplicates.ROWS_PER_BUCKET", per_bucket)
        monkeypatch.setattr("tasks.data.candidates.ROWS_PER_RANGE", per_bucket)
        monkeypatch.setattr("tasks.data.candidates.MOST_REPEATED", per_bucket)
        path = write_parquet(tmp_path / f"{row_group}" / "a.parquet", table, row_group)
        raw = ingest(path, CONTRACT, tmp_path / "home", dask)
        validation = run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
        parts = [read_verdicts(Path(validation.path), index) for index in range(-(-8 // row_group))]
        found.append([[value for part in parts for value in part[kind].tolist()] for kind in range(2)])
        assert [row[0] for row in _quarantine(validation)] == [2, 5]
    assert found[0] == found[1] == found[2]
    assert found[0][1] == [FIRST, ALONE, FIRST, LAST, ALONE, ALONE, LAST, ALONE]


@pytest.mark.parametrize(("keep", "quarantined"), [("none", [1, 2, 4, 5]), ("first", [4, 5]), ("last", [1, 2])])
def test_which_content_of_a_key_stays(tmp_path: Path, dask, keep, quarantined):
    content = "id,word,size\n1,a,1\n1,a,1\n2,a,1\n1,b,1\n1,b,1\n"
    validation = _validate(tmp_path, dask, content=content, config=ValidateConfig(same_key=keep))
    assert [row[:2] for row in _quarantine(validation)] == [(row, "key") for row in quarantined]
    assert read_counts(validation).duplicates == (0 if keep == "none" else 1)


def test_what_rules_were_judged_by_is_kept(tmp_path: Path, dask):
    found = json.loads((Path(_validate(tmp_path, dask).path) / "measurements.json").read_text())
    assert found["beyond_first"] == {"key": 3}
    measurements = Measurements.model_validate(found["measurements"])
    assert measurements.rows == 9
    assert measurements.broken == {"id.type": 1, "word.type": 0, "size.type": 0, "word.required": 1, "size.max": 2}


def test_great_expectations_is_imported_only_where_the_contract_asks_for_it(tmp_path: Path, dask, monkeypatch):
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    for name in [name for name in sys.modules if name.startswith("data_contracts.expectations")]:
        monkeypatch.delitem(sys.modules, name)
    _validate(tmp_path, dask)
    kwargs = {"column": "size", "min_value": 0}
    rule = ExpectationRule(id="mean", type="expect_column_mean_to_be_between", kwargs=kwargs)
    judged = _validate(tmp_path, dask, CONTRACT.model_copy(update={"expectation_rules": (rule,)}))
    assert [each.passed for each in read_outcomes(judged) if each.id == "mean"] == [True]
    # Without a bound it is for the library to say what that means.
    rule = rule.model_copy(update={"kwargs": {"column": "size"}})
    with pytest.raises(ImportError, match="great_expectations"):
        _validate(tmp_path, dask, CONTRACT.model_copy(update={"expectation_rules": (rule,)}))


def test_clean_data_passes(tmp_path: Path, dask):
    validation = _validate(tmp_path, dask, content="id,word,size\n1,a,1\n2,b,\n")
    assert validation.quarantined == 0
    assert not (Path(validation.path) / "quarantine").exists()
    require_kept(validation, CONTRACT, ValidateConfig(max_quarantined=0))


def test_too_much_quarantine_stops_the_run_and_says_why(tmp_path: Path, dask):
    validation = _validate(tmp_path, dask)
    require_kept(validation, CONTRACT, ValidateConfig(max_quarantined=0.6))
    with pytest.raises(ContractBrokenError) as caught:
        require_kept(validation, CONTRACT, ValidateConfig())
    message = str(caught.value)
    assert "6 of 10 rows (60.0%) are in quarantine, at most 5.0% may be: key 2 rows" in message
    assert "size.max 1 rows, for example 99.0, 11.0" in message
    assert f"do: look at the rows in {validation.path}" in message


def test_a_rule_that_nothing_satisfies_leaves_the_quarantine(tmp_path: Path, dask):
    rules = (RowRule(id="never", column="size", kind="minimum", argument=1e9),)
    contract = contract_of({"id": "integer", "size": "number"}, rules=rules)
    validation = _validate(tmp_path, dask, contract, "id,size\n1,1\n2,2\n")
    assert validation.kept == 0
    with pytest.raises(ContractBrokenError, match=r"2 of 2 rows \(100.0%\)"):
        require_kept(validation, contract, ValidateConfig(max_quarantined=1))
    assert ds.dataset(Path(validation.path) / "quarantine").count_rows() == 2


@pytest.mark.parametrize(("severity", "stops"), [("error", True), ("warning", False)])
def test_a_broken_table_rule_stops_the_run_by_its_severity(tmp_path: Path, dask, severity, stops):
    rule = TableRule(id="many", metric="rowCount", operator="mustBeGreaterThan", bound=100, severity=severity, line=7)
    contract = contract_of({"id": "integer"}, table_rules=(rule,))
    validation = _validate(tmp_path, dask, contract, "id\n1\n2\n")
    if not stops:
        require_kept(validation, contract, ValidateConfig())
        return
    with pytest.raises(ContractBrokenError, match=r"many \(small.odcs.yaml:7\): expected rowCount .*100.*, got 2"):
        require_kept(validation, contract, ValidateConfig())


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, dask, monkeypatch):
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": [1], "word": ["a"], "size": [1.0]}))
    raw = ingest(path, CONTRACT, tmp_path / "home", dask)

    def no_space(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", no_space)
    with pytest.raises(DiskFullError, match=r"validations: no space is left"):
        run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
    assert list((tmp_path / "home" / "validations").iterdir()) == []


def test_classified_values_are_not_shown(tmp_path: Path, dask):
    rules = (RowRule(id="w", column="word", kind="max_length", argument=1),)
    contract = contract_of({"word": "string"}, rules=rules, classified=("word",))
    validation = _validate(tmp_path, dask, contract, "word\nsecret\n")
    with pytest.raises(ContractBrokenError) as caught:
        require_kept(validation, contract, ValidateConfig())
    assert "secret" not in str(caught.value)
    assert "***" in str(caught.value)


def _words(path: Path, word: str, rows: int = 20) -> Path:
    return write_parquet(path, pa.table({"id": range(rows), "word": [word] * rows, "size": [1.0] * rows}), row_group=5)


def test_rows_of_another_file_never_stand_under_the_first_ones_digest(tmp_path: Path, dask):
    path = _words(tmp_path / "a.parquet", "a")
    raw = ingest(path, CONTRACT, tmp_path / "home", dask)
    _words(path, "b")
    with pytest.raises(DataError, match=r"a.parquet: the file changed while it was read.*\n  do: run again"):
        run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
    assert not list((tmp_path / "home" / "validations").iterdir())
    # The same content again, at another time, is the same dataset.
    _words(path, "a")
    again = ingest(path, CONTRACT, tmp_path / "home", dask)
    assert again == raw
    assert run_validate(again, CONTRACT, ValidateConfig(), tmp_path / "home", dask).kept == 20


def test_a_file_that_became_shorter_is_named(tmp_path: Path, dask):
    raw = ingest(_words(tmp_path / "a.parquet", "a"), CONTRACT, tmp_path / "home", dask)
    _words(tmp_path / "a.parquet", "a", rows=8)
    with pytest.raises(IntegrityError, match=r"a.parquet, row group [23]: cannot be read any more"):
        run_validate(raw, CONTRACT, ValidateConfig(), tmp_path / "home", dask)
