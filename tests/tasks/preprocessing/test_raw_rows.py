import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from tasks.data.arrow_files import save_arrow
from tasks.data.partitions import DROPPED, read_partition, write_partition
from tasks.errors import IntegrityError
from tasks.preprocessing.raw_rows import RawRows, read_as_it_stands

NAMES = ["x", "kind", "at"]


def _table() -> pa.Table:
    noon = dt.datetime(2024, 2, 28, 12, tzinfo=dt.UTC)
    return pa.table(
        {
            "x": pa.array([1.5, None, 3.0, 4.25, None, 6.0, 7.0, 8.0]),
            "kind": pa.array(["a", "", "b", None, "a", "c", "b", "c"]).dictionary_encode(),
            "at": pa.array([noon + dt.timedelta(days=day) for day in range(7)] + [None], pa.timestamp("us", tz="UTC")),
        }
    )


def _texts(rows: RawRows, name: str, part: str | None = None) -> list[object]:
    found = rows.categories(name, part)
    return [found.values[int(place)].as_py() if place < len(found.values) else None for place in found.positions]


def test_chosen_rows_are_those_of_the_table_with_these_rows_alone():
    chosen = np.array([1, 2, 4, 7])
    some, alone = RawRows(_table(), chosen), RawRows(_table().take(pa.array(chosen)))
    assert len(some) == len(alone) == 4
    for name, part in (("x", None), ("at", None), ("at", "month"), ("at", "hour")):
        for _ in range(2):
            np.testing.assert_array_equal(some.numbers(name, part), alone.numbers(name, part))
    for name, part in (("kind", None), ("at", "day_of_week")):
        assert _texts(some, name, part) == _texts(alone, name, part)


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_a_partition_as_it_stands_names_the_rows_that_belong_to_it(tmp_path, suffix):
    written = write_partition(tmp_path, f"part{suffix}", _table()).partition
    save_arrow(pa.table({DROPPED: pa.array([0, 5], pa.int32())}), tmp_path / "dropped.arrow")
    partition = written.model_copy(update={"dropped": "dropped.arrow", "rows": 6})
    table, kept = read_as_it_stands(tmp_path, partition, NAMES)
    assert table.num_rows == 8
    assert kept.tolist() == [1, 2, 3, 4, 6, 7]
    belonging = read_partition(tmp_path, partition, NAMES, dictionaries=True)
    for name in NAMES:
        assert table[name].take(pa.array(kept)).to_pylist() == belonging[name].to_pylist()
    assert read_as_it_stands(tmp_path, written, ["x"])[1].tolist() == list(range(8))


def test_a_lost_list_of_dropped_rows_is_named(tmp_path):
    written = write_partition(tmp_path, "part.arrow", _table()).partition
    with pytest.raises(IntegrityError, match=r"gone\.arrow"):
        read_as_it_stands(tmp_path, written.model_copy(update={"dropped": "gone.arrow"}), NAMES)
