"""Hostile first files, found by trying: each works, or is refused with the right sentence."""

from __future__ import annotations

import datetime as dt
import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipelines.config import load_config
from tests.end_to_end.wrong_turns.conftest import Headrace, write_table

ROWS = "".join(f"{place / 7:.3f},{'ab'[place % 3 == 0]}\n" for place in range(80))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"size,kind\n{ROWS}1.0,\"open\n{ROWS}", ("a quote is opened in row 81 and never closed, so 81 lines",)),
        (f"size,t,kind\n{ROWS.replace(',', ',x,')}1,\"open,a\n1,x,b\n", ("in row 81 and never closed, so 2 lines",)),
        (f'"size,kind\n{ROWS}', ("a row does not end within 4 MB", "a quote is never closed")),
        (f"size,kind\n{ROWS}".replace("0.143", "0.1\0"), ("binary data", "byte 21 is zero")),
        ("1.5," * 1_500_000, ("the first line does not end within 4 MB",)),
        ("<!DOCTYPE html><html></html>", ("a page of HTML", "download the data")),
        ("version https://git-lfs.github.com/spec/v1\n", ("a pointer of Git LFS", "git lfs pull")),
        ("a b kind\n" + ROWS.replace(",", " "), ("the only column is 'a b kind'",)),
    ],
)  # fmt: skip
def test_texts_that_are_no_table_are_refused(headrace: Headrace, content: str, words: tuple[str, ...]) -> None:
    Path("a.csv").write_text(content)
    headrace("init", "a.csv", "--target", "kind").refused(2, *words)
    assert not Path("pipelines").exists()


def test_packed_files_that_end_too_early_are_refused(headrace: Headrace) -> None:
    packed = gzip.compress(f"size,kind\n{ROWS}".encode() + os.urandom(300_000).hex().encode(), mtime=0)
    Path("a.csv.gz").write_bytes(packed[: len(packed) - 9])
    headrace("init", "a.csv.gz", "--target", "kind").refused(2, "a.csv.gz: cannot be read to its end", "copy or write")
    Path("a.csv.gz").write_bytes(packed[:-8] + bytes(8))
    headrace("init", "a.csv.gz", "--target", "kind").refused(2, "a.csv.gz: cannot be read to its end", "CRC")


def test_lines_may_end_as_elsewhere(headrace: Headrace) -> None:
    Path("a.csv").write_bytes(f"size,kind\n{ROWS}".replace("\n", "\r").replace("a\r", "a\r\n").encode())
    assert headrace("init", "a.csv", "--target", "kind").code == 0
    assert headrace("check", "pipelines/configs/a.yaml").code == 0


def test_names_that_mean_something_elsewhere_pass(headrace: Headrace) -> None:
    names = ["__index_level_0__", "target", "x" * 300, "{partition}", "'; DROP TABLE x;--", "1", "A", "a", "label"]
    write_table(Path("a.csv"), {f'"{name}"': [f"{place * 7 % 11}" for place in range(60)] for name in names})
    said = headrace("init", "a.csv", "--target", "kind")
    assert said.code == 0, said.err
    config = load_config(Path("pipelines/configs/a.yaml"))
    assert {"target", "label"} <= set(config.preprocess.exclude)
    assert headrace("check", "pipelines/configs/a.yaml").code == 0


def test_a_header_that_counts_is_a_header(headrace: Headrace) -> None:
    Path("a.csv").write_text("0,1,2\n" + ROWS.replace(",", ",7.5,"))
    assert headrace("init", "a.csv", "--target", "2").code == 0


def test_a_name_is_found_however_its_accents_are_written(headrace: Headrace) -> None:
    write_table(Path("a.csv"), {"gro\u0308\u00dfe": ["1", "2", "3", "4"] * 15})
    assert headrace("init", "a.csv", "--target", "gr\u00f6\u00dfe").code == 0


def test_what_is_no_file_is_refused(headrace: Headrace) -> None:
    os.mkfifo("pipe.csv")
    headrace("init", "pipe.csv", "--target", "kind").refused(2, "neither a file nor a folder", "into a file first")
    Path("link.csv").symlink_to("gone.csv")
    headrace("init", "link.csv", "--target", "kind").refused(2, "a link to gone.csv, and nothing is there")
    headrace("init", "x" * 300, "--target", "kind").refused(2, "cannot be opened", "File name too long")
    write_table(Path("x" * 246 + ".csv"))
    assert headrace("init", "x" * 246 + ".csv", "--target", "kind").code == 0


def test_files_of_a_folder_with_unlike_headers_are_not_mixed_up(headrace: Headrace) -> None:
    Path("d").mkdir()
    Path("d/a.csv").write_text(f"size,kind, \n{ROWS}".replace("\n", ",\n").replace(" ,\n", "\n"))
    Path("d/b.csv").write_text(f"kind,size, \n{ROWS}".replace("\n", ",\n").replace(" ,\n", "\n"))
    headrace("init", "d", "--target", "kind").refused(2, "d/b.csv: another header than a.csv has")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([float("inf"), 1.0, 2.0, 3.0] * 15), ("15 of 60 rows (25.0%) cannot be read", "`x`")),
        (pa.array(range(2**31 - 60, 2**31), pa.int32()).cast(pa.date32()), ("60 of 60 rows", "`x`")),
        (pa.Array.from_buffers(pa.string(), 60, [None, pa.py_buffer(pa.array(range(61), pa.int32()).buffers()[1]),
                                                 pa.py_buffer(b"\xff" * 60)]), ("column `x`", "UTF")),
    ],
)  # fmt: skip
def test_values_that_no_run_can_read_are_refused_at_once(
    headrace: Headrace, column: pa.Array, words: tuple[str, ...]
) -> None:
    pq.write_table(pa.table({"x": column, "size": range(60), "kind": ["a", "b"] * 30}), "a.parquet")
    headrace("init", "a.parquet", "--target", "kind").refused(2, *words)


def test_columns_of_other_types_cannot_be_predicted(headrace: Headrace) -> None:
    span = pa.array([dt.timedelta(days=1)] * 60)
    pq.write_table(pa.table({"span": span, "{partition}": [1.0] * 60, "kind": ["a", "b"] * 30}), "a.parquet")
    headrace("init", "a.parquet", "--target", "kind").refused(2, "the column `{partition}` cannot be named", "rename")
    pq.write_table(pa.table({"span": span, "kind": ["a", "b"] * 30}), "a.parquet")
    headrace("init", "a.parquet", "--target", "span").refused(2, "its type duration", "neither a class nor a number")


def _images(root: Path, mode: str, classes: tuple[str, ...] = ("cat", "dog")) -> None:
    for name in classes:
        (root / name).mkdir(parents=True)
        for number in range(12):
            image = Image.new("RGB", (9, 9), (number * 20, 7, 7)).convert(mode)
            image.save(root / name / f"{number}.{'tif' if mode == 'CMYK' else 'png'}")


@pytest.mark.parametrize("mode", ["RGBA", "CMYK"])
def test_images_of_every_usual_mode_are_taken(headrace: Headrace, mode: str) -> None:
    _images(Path("pets"), mode)
    assert headrace("init", "pets").code == 0
    assert mode in Path("pipelines/configs/pets.yaml").read_text()
    said = headrace("check", "pipelines/configs/pets.yaml")
    assert (said.code, "quarantined" in said.out) == (0, False)


def test_folders_of_images_that_cannot_be_learned_are_refused(headrace: Headrace) -> None:
    _images(Path("pets"), "RGB")
    for path in Path("pets/cat").iterdir():
        path.write_bytes(path.read_bytes()[:60])
    headrace("init", "pets").refused(2, "only images of the class dog can be taken", "cat/")
    _images(Path("parts"), "RGB", ("train/cat", "train/dog", "test/cat", "test/dog"))
    headrace("init", "parts").refused(2, "are parts of a dataset, not classes", "name parts/t")
    _images(Path("deep"), "RGB", ("all/cat", "all/dog"))
    headrace("init", "deep").refused(2, "1 class", "name deep/all")
    assert not Path("pipelines").exists()


def test_a_decompression_bomb_is_no_image(headrace: Headrace, monkeypatch: pytest.MonkeyPatch) -> None:
    _images(Path("pets"), "RGB")
    Image.new("1", (900, 900)).save("pets/cat/bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    said = headrace("init", "pets")
    assert said.code == 0, said.err
    assert "cannot be opened (such as cat/bomb.png)" in said.out
