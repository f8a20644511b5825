from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipelines.cli import headrace
from pipelines.samples import fashion_mnist
from pipelines.samples.fashion_mnist import CLASSES, FILES, INSTALLED, write_fashion_mnist
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.images.ingest import ImageConfig, ImageSourceConfig, run_ingest_images
from tasks.images.layout import read_layout
from tests.tasks.images.pictures import write_idx


def installed(folder: Path) -> Path:
    for pair, count in (("train", 6), ("t10k", 3)):
        write_idx(folder / f"{pair}-images-idx3-ubyte.gz", np.zeros((count, 28, 28), np.uint8))
        write_idx(folder / f"{pair}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8))
    return folder


def test_the_command_copies_the_four_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fashion_mnist, "INSTALLED", installed(tmp_path / "usr"))
    done = CliRunner().invoke(headrace, ["samples", "fashion-mnist", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "wrote 4 files" in done.output
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "usr" / name).read_bytes()


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fashion_mnist, "INSTALLED", installed(tmp_path / "usr"))
    (tmp_path / "usr" / FILES[2]).unlink()
    with pytest.raises(DataError, match=rf"lacks {FILES[2]}\n  do: install Debian's package dataset-fashion-mnist"):
        write_fashion_mnist(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not (INSTALLED / FILES[2]).is_file(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_real_test_images_are_ten_classes_of_a_thousand(tmp_path: Path):
    for name in FILES[2:]:
        (tmp_path / name).write_bytes((INSTALLED / name).read_bytes())
    source = ImageSourceConfig(path=str(tmp_path), format="idx", classes=CLASSES)
    config = ImageConfig(width=28, height=28, mode="L", resize="exact")
    images = run_ingest_images(source, config, tmp_path / "home", DaskConfig())
    assert images.rows == 10_000
    assert read_layout(images).classes == CLASSES
