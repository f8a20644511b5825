"""Where a config's files lie, as messages show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import load_pipeline
from pipelines.places import place_beside


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../../data/x.csv", "data/x.csv"),
        ("data/../x.csv", "pipelines/configs/x.csv"),
        ("./x.csv", "pipelines/configs/x.csv"),
        ("../../../beside/x", "../beside/x"),
    ],
)
def test_no_steps_back_are_shown(tmp_path: Path, path: str, shown: str) -> None:
    place = tmp_path / "home"
    expected = place.parent / shown.removeprefix("../") if shown.startswith("../") else place / shown
    assert place_beside(place / "pipelines" / "configs", path) == str(expected)


def test_a_step_out_of_a_link_leads_beside_its_target(tmp_path: Path) -> None:
    (tmp_path / "far" / "configs").mkdir(parents=True)
    (tmp_path / "far" / "data").mkdir()
    (tmp_path / "configs").symlink_to(tmp_path / "far" / "configs")
    found = place_beside(tmp_path / "configs", "../data")
    assert found == f"{tmp_path}/configs/../data"
    assert Path(found).is_dir()
    (tmp_path / "all").symlink_to(tmp_path / "far")
    # Within the link's target nothing leads out of it.
    assert place_beside(tmp_path / "all" / "configs", "../data") == f"{tmp_path}/all/data"


def test_absolute_places_and_uris_stay(tmp_path: Path) -> None:
    assert place_beside(tmp_path, "/data/x.csv") == "/data/x.csv"
    assert place_beside(tmp_path, "s3://bucket/a/x.csv") == "s3://bucket/a/x.csv"


def test_configs_name_their_files_so() -> None:
    root = Path(__file__).parents[2]
    flights = load_pipeline(root / "pipelines" / "configs" / "flights.yaml")
    assert flights.contract == str(root / "data_contracts" / "flights.odcs.yaml")
    assert flights.source.path == str(root / "data" / "flights")
    garments = load_pipeline(root / "pipelines" / "configs" / "fashion_mnist.yaml")
    assert garments.source.path == str(root / "data" / "fashion-mnist")
