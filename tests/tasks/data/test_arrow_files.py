import pyarrow as pa
import pytest

from tasks.data.arrow_files import read_arrow, save_arrow, write_arrow
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
