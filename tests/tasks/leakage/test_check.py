import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks.data.split import NO_SPLIT, SplitConfig
from tasks.errors import ConfigError, IntegrityError, LeakageError
from tasks.leakage.check import read_leaks, require_no_leaks, run_leakage
from tasks.leakage.plan import LeakageConfig
from tests.tasks.leakage.leaky import codes_of, find, honest_table, plan_of, stored_table

CONFIG = LeakageConfig()


@pytest.mark.parametrize("seed", range(20))
def test_honest_data_raises_no_alarm(tmp_path: Path, dask, seed):
    table = honest_table(seed)
    leaks, reference = find(tmp_path, dask, table, codes_of(table.num_rows, seed), plan_of(table, CONFIG))
    assert leaks.findings == ()
    assert (leaks.rows, reference.found) == (1500, 0)
    assert require_no_leaks(reference, CONFIG) == leaks.notes


def _delayed(table: pa.Table) -> pa.Table:
    late = table["late"].to_numpy()
    return table.append_column("delay", pa.array(np.random.default_rng(5).normal(late * 40.0, 6.0)))


def test_a_feature_that_is_the_target_with_noise_stops_the_run(tmp_path: Path, dask):
    table = _delayed(honest_table(1))
    leaks, reference = find(tmp_path, dask, table, codes_of(table.num_rows), plan_of(table, CONFIG))
    (finding,) = leaks.findings
    assert finding.name == "target-in-disguise:delay"
    assert finding.measure > 0.98
    assert finding.examples[0].startswith("delay=")
    with pytest.raises(LeakageError, match=r"target-in-disguise:delay: `delay` alone tells `late`") as refused:
        require_no_leaks(reference, CONFIG)
    assert "accept: ['target-in-disguise:delay']" in str(refused.value)


def test_a_finding_is_accepted_by_its_name(tmp_path: Path, dask):
    table = _delayed(honest_table(1))
    _, reference = find(tmp_path, dask, table, codes_of(table.num_rows), plan_of(table, CONFIG))
    accepted = LeakageConfig(accept=("target-in-disguise:delay", "duplicates:train+test", "duplicate:train+test"))
    notes = require_no_leaks(reference, accepted)
    assert notes[0].startswith("target-in-disguise:delay is accepted: `delay` alone")
    assert notes[1] == "duplicates:train+test is accepted but was not found"
    assert notes[2].endswith("was not found; did you mean duplicates?")


def test_classified_values_are_masked(tmp_path: Path, dask):
    table = _delayed(honest_table(1))
    plan = plan_of(table, CONFIG, classified=("delay",))
    leaks, _ = find(tmp_path, dask, table, codes_of(table.num_rows), plan)
    assert set(leaks.findings[0].examples) == {"delay=***, late=true", "delay=***, late=false"}


def test_several_findings_are_told_at_once(tmp_path: Path, dask):
    table = _delayed(honest_table(1))
    table = table.append_column("twice", table["delay"])
    _, reference = find(tmp_path, dask, table, codes_of(table.num_rows), plan_of(table, CONFIG))
    with pytest.raises(LeakageError, match="2 findings") as refused:
        require_no_leaks(reference, CONFIG)
    assert "accept: ['target-in-disguise:delay', 'target-in-disguise:twice']" in str(refused.value)


def test_rows_that_stand_in_two_splits(tmp_path: Path, dask):
    table = honest_table(2)
    again = np.r_[0:1500, 0:60]
    codes = np.r_[codes_of(1500), np.full(60, 2)].astype(np.uint8)
    codes[:60] = 0
    table = table.take(pa.array(again)).set_column(0, "id", pa.array(np.arange(1560)))
    flipped = table["late"].to_numpy().copy()
    flipped[1500:1530] = ~flipped[1500:1530]
    table = table.set_column(1, "late", pa.array(flipped))
    leaks, _ = find(tmp_path, dask, table, codes, plan_of(table, CONFIG))
    (finding,) = leaks.findings
    assert (finding.name, finding.rows, finding.exact) == ("duplicates:train+test", 60, True)
    test = int((codes == 2).sum())
    assert finding.measure == pytest.approx(60 / test, abs=1e-5)
    assert f"{30 / test:.2%} in `late` too" in finding.what
    assert len(finding.examples) == 5


def test_few_values_repeat_by_chance(tmp_path: Path, dask):
    table = honest_table(3).select(["id", "late", "code"])
    leaks, _ = find(tmp_path, dask, table, codes_of(1500), plan_of(table, CONFIG))
    assert leaks.findings == ()


@pytest.mark.parametrize(
    ("config", "split"),
    [
        (LeakageConfig(groups=("patient",)), None),
        (CONFIG, SplitConfig(method="group", column="patient")),
    ],
)
def test_groups_that_stand_in_two_splits(tmp_path: Path, dask, config, split):
    patient = np.arange(1500) // 5
    table = honest_table(4).append_column("patient", pa.array([None if p == 0 else f"p{p}" for p in patient]))
    codes = np.repeat(codes_of(300), 5)
    table, codes = table.slice(0), codes.copy()
    plan = plan_of(table, config, [name for name in table.column_names if name != "patient"][2:], split)
    leaks, _ = find(tmp_path / "clean", dask, table, codes, plan)
    assert leaks.findings == ()
    codes[10] = (codes[10] + 1) % 3
    leaks, _ = find(tmp_path / "leaky", dask, table, codes, plan)
    (finding,) = leaks.findings
    assert (finding.name, finding.rows, finding.examples) == ("group-overlap:patient", 5, ("patient=p2",))
    assert finding.measure == pytest.approx(1 / 299, abs=1e-6)


def test_a_column_that_looks_like_a_group_is_noted(tmp_path: Path, dask):
    table = honest_table(4).append_column("patient", pa.array(np.arange(1500) % 150))
    leaks, _ = find(tmp_path, dask, table, codes_of(1500), plan_of(table, CONFIG))
    assert leaks.findings == ()
    assert [note for note in leaks.notes if note.startswith("`patient` looks like a group's key: 150 values")]
    assert not [note for note in leaks.notes if note.startswith(("`id`", "`name`", "`code`"))]


def _timed(table: pa.Table) -> pa.Table:
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    seen = [start + dt.timedelta(hours=hour) for hour in range(table.num_rows)]
    stamps = pa.timestamp("us", tz="UTC")
    billed = [None if hour % 7 == 0 else when - dt.timedelta(hours=hour % 3) for hour, when in enumerate(seen)]
    table = table.append_column("seen", pa.array(seen, stamps)).append_column("billed", pa.array(billed, stamps))
    return table.append_column("seen_on", pa.array([when.date() for when in seen], pa.date32()))


def test_values_later_than_their_rows_event(tmp_path: Path, dask):
    table = _timed(honest_table(6)).drop_columns(["day"])
    plan = plan_of(table, LeakageConfig(event_time="seen", groups=("id",)))
    leaks, _ = find(tmp_path / "clean", dask, table, codes_of(1500), plan)
    assert leaks.findings == ()
    billed = table["billed"].to_pylist()
    billed[3] = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)
    table = table.set_column(table.column_names.index("billed"), "billed", pa.array(billed, table["billed"].type))
    leaks, _ = find(tmp_path / "leaky", dask, table, codes_of(1500), plan)
    (finding,) = leaks.findings
    assert (finding.name, finding.rows, finding.columns) == ("after-event:billed", 1, ("billed", "seen"))
    assert finding.examples == ("billed=2021-06-01 00:00:00.000000Z, seen=2020-01-01 03:00:00.000000Z",)


def test_rows_that_cannot_have_happened_yet(tmp_path: Path, dask):
    table = _timed(honest_table(6))
    config = LeakageConfig(event_time="seen", now="2020-03-02T11:00:00Z")
    features = ["amount", "seen_on"]
    leaks, reference = find(tmp_path, dask, table, codes_of(1500), plan_of(table, config, features))
    (finding,) = leaks.findings
    assert (finding.name, finding.rows) == ("after-now:seen", 1500 - 24 * 61 - 12)
    assert require_no_leaks(reference, LeakageConfig(accept=("after-now:seen",)))
    allowed = config.model_copy(update={"future": 0.5})
    clean, split = stored_table(tmp_path / "again", table, codes_of(1500))
    assert run_leakage(clean, split, plan_of(table, allowed, features), tmp_path, dask).found == 0


def test_training_rows_after_the_first_of_the_test(tmp_path: Path, dask):
    table = _timed(honest_table(7))
    codes = np.repeat([0, 1, 2], 500).astype(np.uint8)
    plan = plan_of(table, CONFIG, ["amount", "code"], SplitConfig(method="time", column="seen"))
    leaks, _ = find(tmp_path / "clean", dask, table, codes, plan)
    assert leaks.findings == ()
    codes[[1200, 1300]] = 0
    leaks, _ = find(tmp_path / "leaky", dask, table, codes, plan)
    assert [(finding.name, finding.rows) for finding in leaks.findings] == [("train-after-test:seen", 2)]


def test_too_few_rows_are_not_judged_and_it_is_said(tmp_path: Path, dask):
    table = _delayed(honest_table(1)).slice(0, 40)
    leaks, _ = find(tmp_path, dask, table, codes_of(40), plan_of(table, CONFIG))
    assert leaks.findings == ()
    assert leaks.notes[0].startswith("target-in-disguise was not judged: fewer than 10 validation rows")


def test_the_partitions_and_the_sample_do_not_change_what_is_found(tmp_path: Path, dask):
    table = _delayed(honest_table(8))
    codes = codes_of(1500)
    plan = plan_of(table, LeakageConfig(sample=600))
    found = []
    for part in (1500, 400, 137):
        clean, split = stored_table(tmp_path / str(part), table, codes, part)
        found.append(run_leakage(clean, split, plan, tmp_path / str(part), dask))
    assert len({reference.digest for reference in found}) == 1
    assert 500 < read_leaks(found[0]).sampled < 700


def test_a_column_that_cleaning_dropped(tmp_path: Path, dask):
    table = honest_table(9)
    plan = plan_of(table, LeakageConfig(groups=("name",)), ["amount"])
    clean, split = stored_table(tmp_path, table.drop_columns(["name"]), codes_of(1500))
    with pytest.raises(ConfigError, match="the cleaned dataset has no column `name`"):
        run_leakage(clean, split, plan, tmp_path, dask)


def test_findings_that_are_gone(tmp_path: Path, dask):
    table = honest_table(9)
    _, reference = find(tmp_path, dask, table, codes_of(1500), plan_of(table, CONFIG))
    shutil.rmtree(reference.path)
    with pytest.raises(IntegrityError, match="findings are gone"):
        require_no_leaks(reference, CONFIG)


def test_a_partition_without_any_split(tmp_path: Path, dask):
    table = _timed(honest_table(10))
    codes = np.repeat([0, 1, 2], 500).astype(np.uint8)
    codes[400:800] = NO_SPLIT
    split = SplitConfig(method="time", column="seen")
    leaks, _ = find(tmp_path, dask, table, codes, plan_of(table, CONFIG, ["amount", "code"], split))
    assert leaks.findings == ()
    assert leaks.rows == 1100
