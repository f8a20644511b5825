import pyarrow as pa
import pytest

from tasks.data.arrow_files import read_arrow, read_part, save_arrow, save_parts, write_arrow
from tasks.storage import digest_file

# So many rows are more than the buffer of a file holds.
TABLE = pa.table({"a": pa.array([1, None, 3] * 5_000), "b": pa.array(["x", None, "y"] * 5_000).dictionary_encode()})


@pytest.mark.parametrize("rows", [0, 1, 15_000])
def test_the_digest_is_that_of_the_file(tmp_path, rows):
    path = tmp_path / "folder" / "rows.arrow"
    assert write_arrow(TABLE.slice(0, rows), path) == digest_file(path)
    assert read_arrow(path).equals(TABLE.slice(0, rows))


def test_both_ways_of_writing_write_the_same(tmp_path):
    write_arrow(TABLE, tmp_path / "digested.arrow")
    save_arrow(TABLE, tmp_path / "saved.arrow")
    assert (tmp_path / "digested.arrow").read_bytes() == (tmp_path / "saved.arrow").read_bytes()


def test_the_systems_error_comes_through(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_arrow(TABLE, tmp_path)


def test_each_part_is_read_by_itself(tmp_path):
    rows = pa.record_batch({"a": list(range(10)), "b": [bool(row % 3) for row in range(10)]})
    path = tmp_path / "folder" / "parts.arrow"
    save_parts(rows, [0, 3, 3, 10], path)
    parts = [read_part(path, number) for number in range(4)]
    assert [part.num_rows for part in parts] == [0, 3, 0, 7]
    assert pa.Table.from_batches(parts).equals(pa.Table.from_batches([rows]))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(pa.ArrowInvalid):
        read_part(path, 1)
