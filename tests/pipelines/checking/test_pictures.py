from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.check import open_pipeline
from pipelines.checking.pictures import look_at_images
from pipelines.checking.source import look_at_source
from tasks.errors import DataError
from tasks.images.config import ImagesConfig


def images(folder: Path, **counts: int) -> ImagesConfig:
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / name / f"{number}.png")
    image = {"width": 8, "height": 8}
    return ImagesConfig.model_validate({"source": {"path": str(folder), "format": "folders"}, "image": image})


def test_classes_are_counted(tmp_path: Path) -> None:
    found = look_at_images(images(tmp_path, cat=3, dog=2))
    assert found.classes == {"cat": 3, "dog": 2}
    assert found.summary == "5 images of 2 classes: cat 3, dog 2"
    assert found.notes == ()


def test_images_that_cannot_be_taken_are_named(tmp_path: Path) -> None:
    config = images(tmp_path, cat=3, dog=2)
    (tmp_path / "dog" / "0.png").write_bytes(b"no image")
    (note,) = look_at_images(config).notes
    assert note.startswith("1 of 5 images that were tried would be quarantined: image.unreadable, such as dog/0.png (")
    config = images(tmp_path, cow=1)
    named = config.source.model_copy(update={"classes": ("cat", "cow")})
    lost, _ = look_at_images(config.model_copy(update={"source": named})).notes
    assert lost == "2 of 6 images have no class of `source.classes`, and would be quarantined"


def test_one_class_and_images_of_which_none_can_be_taken_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected images of at least two classes, got \{'cat': 2\}\n  do: put each"):
        look_at_images(images(tmp_path / "one", cat=2))
    config = images(tmp_path / "two", cat=1, dog=1)
    for name in ("cat", "dog"):
        (tmp_path / "two" / name / "0.png").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"none of 2 images that were tried can be taken: image.empty, such as cat/0.png"
    ):
        look_at_images(config)


def test_images_that_are_not_there_are_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text(
        "name: pets\nmodel: pets\nimages:\n  source: {path: pets, format: folders}\n  image: {width: 8, height: 8}\n"
    )
    with pytest.raises(DataError, match=r"pets.yaml:4: "):
        look_at_source(path, *open_pipeline(path))
