from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from serving.bundle.manifest import InputSpec
from tasks.data.partitions import Manifest, read_manifest, write_manifest
from tasks.errors import IntegrityError
from tasks.metrics.bootstrap import Resampling
from tasks.metrics.table import metric_names
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target
from tasks.promotion.answers import Contender, NotComparableError
from tasks.promotion.challenge import Challenge, Rows, challenge
from tasks.promotion.version import complete_bundle
from tasks.references import DatasetRef, SplitRef
from tests.tasks.promotion.conftest import VALIDATION, World, certificate_of
from tests.tasks.promotion.contenders import GOOD, ROWS, TARGETS, Contestant, contestant

WELL, BADLY = 0.1, 2.5


def _complete(home: Path, found: Contestant) -> Path:
    certificate = certificate_of(found.bundle.digest)
    return complete_bundle(found.bundle, found.evaluation, certificate, VALIDATION, home).folder


def _meet(world: World, champion: Contestant, candidate: Contestant) -> Challenge:
    both = [_complete(world.home, each) for each in (champion, candidate)]
    shared = Rows(clean=world.rows[0], split=world.rows[1], evaluation=candidate.evaluation)
    return challenge(("7", both[0]), both[1], shared, Resampling(60, 0.9), ("log_loss",))


@pytest.mark.parametrize("problem", TARGETS)
def test_a_better_model_is_seen_as_better_on_the_same_rows(problem: Any, world: World) -> None:
    target = TARGETS[problem]
    well, badly = (contestant(world.home, flaw=flaw, target=target) for flaw in (WELL, BADLY))
    found = _meet(world, badly, well)
    assert (found.champion, found.rows, found.recorded) == ("7", ROWS, None)
    assert set(found.metrics) == set(metric_names(problem))
    assert {name: each.candidate for name, each in found.metrics.items()} == pytest.approx(well.metrics, abs=1e-3)
    assert {name: each.champion for name, each in found.metrics.items()} == pytest.approx(badly.metrics, abs=1e-3)
    first = found.metrics[metric_names(problem)[0]]
    assert first.interval is not None
    assert 0 < first.interval[0] <= first.gain <= first.interval[1]
    others = {name for name, each in found.metrics.items() if each.interval is None}
    assert others == set(metric_names(problem)) - {metric_names(problem)[0], "log_loss"}
    worse = _meet(world, well, badly).metrics[metric_names(problem)[0]]
    assert worse.interval is not None
    assert worse.interval[1] < 0


def test_an_equal_model_gains_nothing(world: World) -> None:
    found = _meet(world, contestant(world.home), contestant(world.home, named="again"))
    assert all(each.gain == 0 for each in found.metrics.values())
    assert found.metrics["roc_auc"].interval == found.metrics["log_loss"].interval == (0.0, 0.0)


def test_labels_in_another_order_are_the_same_labels(world: World) -> None:
    target = LabelsTarget(labels=("late", "good"))
    first = contestant(world.home, target=TARGETS["multilabel"])
    found = _meet(world, first, contestant(world.home, target=target))
    assert found.recorded is None
    assert found.metrics["roc_auc"].champion < found.metrics["roc_auc"].candidate


def test_groups_are_drawn_whole(world: World) -> None:
    found = _meet(world, contestant(world.home, flaw=BADLY), contestant(world.home, groups=6))
    assert found.groups == 6


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (ClassTarget(column="good", source="boolean", classes=(True,)), "it predicts the classes [True] of `good`"),
        (ClassTarget(column="late", source="boolean", classes=(False, True)), "the classes [False, True] of `late`"),
        (TARGETS["multilabel"], "it predicts the labels ['good', 'late'], and the candidate the classes [False, True]"),
        (TARGETS["regression"], "it predicts the number `good`, and the candidate the classes"),
        (TARGETS["quantile"], "it predicts the quantiles [0.1, 0.5, 0.9] of `good`, and the candidate"),
    ],
)
def test_a_champion_of_something_else_is_not_compared(target: Target, said: str, world: World) -> None:
    champion, candidate = contestant(world.home, target=target), contestant(world.home)
    found = _meet(world, champion, candidate)
    assert found.rows == 0
    assert found.recorded is not None
    assert said in found.recorded
    assert found.metrics == {}


def _other_columns(clean: DatasetRef, home: Path, **columns: str | None) -> DatasetRef:
    manifest = read_manifest(clean)
    kept = {name: kind for name, kind in {**manifest.columns, **columns}.items() if kind is not None}
    folder = home / "changed"
    write_manifest(folder, Manifest(**{**manifest.model_dump(), "columns": kept}))
    return DatasetRef(path=str(folder), digest="changed", rows=clean.rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": None}, "it reads `weight` (number), which in this data is not there"),
        ({"carrier": "int64"}, "it reads `carrier` (string), which in this data is of type int64"),
    ],
)
def test_a_champion_that_lacks_an_input_is_compared_as_recorded(
    change: dict[str, str | None], said: str, world: World, tmp_path: Path
) -> None:
    changed = _other_columns(world.rows[0], tmp_path, **change)
    elsewhere = World(world.home, (changed, world.rows[1]))
    found = _meet(elsewhere, contestant(world.home), contestant(world.home, flaw=BADLY))
    assert found.recorded == said
    assert found.metrics["roc_auc"].gain < 0


def test_images_of_another_size_are_not_comparable(world: World) -> None:
    found = contestant(world.home)
    candidate = Contender.open(found.bundle.folder, GOOD)
    small, large = (
        InputSpec(name="image", datatype="UINT8", tensor="uint8", logical_type="image", nullable=False, shape=shape)
        for shape in ((28, 28, 1), (32, 32, 3))
    )
    before, after = (
        replace(candidate, manifest=candidate.manifest.model_copy(update={"inputs": (spec,)}))
        for spec in (small, large)
    )
    before.require_comparable(before, {"image": "fixed_size_binary[784]"})
    with pytest.raises(NotComparableError, match=r"shape \[28, 28, 1\], and the candidate \[32, 32, 3\]"):
        before.require_comparable(after, {"image": "fixed_size_binary[784]"})


def test_an_evaluation_of_other_rows_is_refused(world: World, tmp_path: Path) -> None:
    clean, split = world.rows
    fewer = SplitRef(path=str(tmp_path / "fewer"), digest="s1", rows={})
    for source in sorted(Path(split.path).iterdir()):
        with pa.ipc.open_file(str(source)) as file:
            codes = file.read_all()["split"].to_numpy().copy()
        codes[:5] = 0
        target = Path(fewer.path) / source.name
        target.parent.mkdir(exist_ok=True)
        with pa.ipc.new_file(str(target), pa.schema([("split", pa.uint8())])) as writer:
            writer.write_table(pa.table({"split": codes}))
    with pytest.raises(IntegrityError, match="of 300 rows, but the test split has 295"):
        _meet(World(world.home, (clean, fewer)), contestant(world.home), contestant(world.home, flaw=BADLY))
