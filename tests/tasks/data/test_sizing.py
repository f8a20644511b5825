import pyarrow as pa
import pytest

from tasks.data.sizing import TARGET_BYTES, partition_size, row_bytes

GIB = 1 << 30
SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.bool_()), ("d", pa.list_(pa.int8()))])


@pytest.mark.parametrize("memory", [None, 2 * GIB, 8 * GIB, 100 * GIB])
def test_the_same_data_is_cut_alike_wherever_there_is_memory(memory):
    assert partition_size(300, memory) == partition_size(300, 4 * GIB)


def test_partitions_are_halved_until_they_fit():
    rows = [partition_size(300, memory).rows for memory in (GIB, GIB // 2, GIB // 4, GIB // 64)]
    assert rows == [262_144, 131_072, 65_536, 4_096]
    assert all(size.most == 2 * size.rows for size in (partition_size(8, GIB), partition_size(1, None)))


@pytest.mark.parametrize("width", [1, 7, 300, 5_000, 10_000_000])
def test_rows_are_a_power_of_two_within_the_target(width):
    rows = partition_size(width, None).rows
    assert rows & (rows - 1) == 0
    assert rows == 1_024 or TARGET_BYTES / 2 < rows * width <= TARGET_BYTES


def test_a_row_is_as_wide_as_its_types_or_as_the_file_says():
    assert row_bytes(SCHEMA, ["a", "b", "c", "d"]) == 8 + 24 + 1 + 24
    assert row_bytes(SCHEMA, ["a"], stored=500) == 500
