"""The target in disguise where it is a number, or several labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks.errors import LeakageError
from tasks.leakage.check import require_no_leaks
from tasks.leakage.plan import LeakageConfig
from tests.tasks.leakage.leaky import codes_of, find, honest_table, plan_of

CONFIG = LeakageConfig()


def _priced(seed: int) -> pa.Table:
    table = honest_table(seed)
    price = np.exp(table["amount"].to_numpy() + np.random.default_rng([seed, 3]).normal(size=table.num_rows))
    return table.append_column("price", pa.array(price))


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_number_raises_no_alarm(tmp_path: Path, dask, seed: int) -> None:
    table = _priced(seed)
    plan = plan_of(table, CONFIG, target="price")
    assert find(tmp_path, dask, table, codes_of(table.num_rows, seed), plan)[0].findings == ()


def test_a_feature_that_is_the_number_stops_the_run(tmp_path: Path, dask) -> None:
    table = _priced(1)
    table = table.append_column("taxes", pa.array(np.sqrt(table["price"].to_numpy())))
    leaks, reference = find(tmp_path, dask, table, codes_of(table.num_rows), plan_of(table, CONFIG, target="price"))
    (finding,) = leaks.findings
    assert (finding.name, finding.columns, finding.threshold) == (
        "target-in-disguise:taxes",
        ("taxes", "price"),
        CONFIG.r2,
    )
    assert 0.98 < finding.measure <= 1
    with pytest.raises(LeakageError, match=r"`taxes` alone tells `price` so far that it explains 100.0% of the var"):
        require_no_leaks(reference, CONFIG)
    assert require_no_leaks(reference, LeakageConfig(accept=(finding.name,)))


def test_a_label_that_a_feature_tells_is_named(tmp_path: Path, dask) -> None:
    table = honest_table(2)
    random = np.random.default_rng(4)
    lost = random.random(table.num_rows) < 0.4
    table = table.append_column("lost", pa.array(lost)).append_column(
        "refund", pa.array(random.normal(size=table.num_rows), mask=~lost)
    )
    plan = plan_of(table, CONFIG, target=("late", "lost"))
    (finding,) = find(tmp_path, dask, table, codes_of(table.num_rows), plan)[0].findings
    assert (finding.name, finding.columns, finding.measure) == ("target-in-nulls:refund", ("refund", "lost"), 1.0)


def test_what_cannot_be_judged_is_noted(tmp_path: Path, dask) -> None:
    table = honest_table(3, rows=60)
    rare = pa.array(np.arange(60) == 0)
    table = table.append_column("lost", rare).append_column("price", pa.array(np.arange(60.0)))
    codes = np.arange(60).astype(np.uint8) % 3
    codes[40:] = 0
    labels = find(tmp_path / "a", dask, table, codes, plan_of(table, CONFIG, ["amount"], target=("late", "lost")))[0]
    number = find(tmp_path / "b", dask, table, codes, plan_of(table, CONFIG, ["amount"], target="price"))[0]
    assert [note for note in labels.notes if "`lost`" in note] == [
        "target-in-disguise was not judged for `lost`: fewer than 10 validation rows of every class, or of the rest"
    ]
    assert number.notes[0] == "target-in-disguise was not judged: fewer than 20 validation rows, or all the same"
