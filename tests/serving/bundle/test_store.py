"""`serving.bundle.store`."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from serving.bundle.errors import BundleError, StoreError
from serving.bundle.manifest import MODEL
from serving.bundle.store import HISTORY_LENGTH, ModelStore
from serving.bundle.traffic import Share, TrafficPlan
from tests.serving.bundles import promote, small_model, write_bundle


def register(store: ModelStore, bias: float) -> str:
    return store.register("small", lambda folder: write_bundle(folder, small_model(bias))).version


def test_versions_count_up_and_sort_by_number(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert [register(store, bias) for bias in range(11)] == [str(n) for n in range(1, 12)]
    assert store.versions("small") == tuple(str(n) for n in range(1, 12))
    assert store.models() == ("small",)


def test_same_digest_reuses_its_version(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert [register(store, 1.0), register(store, 2.0), register(store, 1.0)] == ["1", "2", "1"]


def test_nothing_known_is_empty_not_an_error(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "absent")
    assert store.models() == ()
    assert store.versions("small") == ()
    assert store.champion("small") is None


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / MODEL).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    store = ModelStore(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        store.register("small", build)
    assert list((tmp_path / "small").iterdir()) == []


def test_a_bundle_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="belongs to model 'other'"):
        ModelStore(tmp_path).register("small", lambda folder: write_bundle(folder, model="other"))


def test_many_writers_get_one_version_each(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda bias: register(store, bias), range(12)))
    assert sorted(map(int, versions)) == list(range(1, 13))


def test_champion_rollback_and_history(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    for bias in range(3):
        register(store, bias)
        store.set_champion("small", str(bias + 1))
    champion = store.champion("small")
    assert champion is not None
    assert (champion.version, [entry.version for entry in champion.history]) == ("3", ["1", "2"])
    assert store.set_champion("small", "3") == champion
    assert store.rollback("small").version == "2"
    assert store.rollback("small").version == "1"
    with pytest.raises(StoreError, match="no earlier champion"):
        store.rollback("small")
    assert store.champion("small") is not None


def test_history_is_bounded(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    register(store, 0)
    register(store, 1)
    for turn in range(HISTORY_LENGTH + 5):
        champion = store.set_champion("small", str(1 + turn % 2))
    assert len(champion.history) == HISTORY_LENGTH


def test_a_broken_bundle_never_becomes_champion(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path, 0)
    register(store, 1)
    (store.bundle_path("small", "2") / MODEL).write_bytes(b"torn")
    with pytest.raises(BundleError, match="altered"):
        store.set_champion("small", "2")
    champion = store.champion("small")
    assert champion is not None
    assert champion.version == "1"


def test_rollback_to_a_replaced_bundle_is_refused(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path, 0)
    promote(tmp_path, 1)
    write_bundle(store.bundle_path("small", "1"), small_model(5))
    with pytest.raises(StoreError, match="not the bundle that was promoted"):
        store.rollback("small")


def test_an_unknown_version_is_named_with_those_there_are(tmp_path: Path) -> None:
    promote(tmp_path, 0)
    with pytest.raises(StoreError, match=r"no version '9'.*it has: 1"):
        ModelStore(tmp_path).set_champion("small", "9")
    with pytest.raises(StoreError, match=r"no model 'other'.*small"):
        ModelStore(tmp_path).rollback("other")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "/etc", ".hidden", "a\0b", "a\n", "x" * 101, "é"]
)
def test_names_that_could_leave_the_store_are_refused(tmp_path: Path, name: str) -> None:
    store = ModelStore(tmp_path)
    for call in (
        lambda: store.versions(name),
        lambda: store.champion(name),
        lambda: store.rollback(name),
        lambda: store.bundle_path("small", name),
        lambda: store.set_champion("small", name),
        lambda: store.register(name, lambda _: None),
    ):
        with pytest.raises(StoreError, match="is no"):
            call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 1}', '{"version": "../../x", "digest": "d"}', '{"version":"1","digest":"d","more":1}'],
)
def test_a_corrupt_pointer_is_named(tmp_path: Path, content: str) -> None:
    promote(tmp_path)
    store = ModelStore(tmp_path)
    store.pointer_path("small").write_text(content)
    with pytest.raises(StoreError):
        store.champion("small")


def test_a_full_disk_leaves_the_old_pointer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path, 0)
    register(store, 1)
    before = store.pointer_path("small").read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.set_champion("small", "2")
    assert store.pointer_path("small").read_text() == before
    assert json.loads(before)["version"] == "1"
    assert {path.name for path in (tmp_path / "small").iterdir()} == {"1", "2", "champion"}


def plan(**changes: object) -> TrafficPlan:
    return TrafficPlan.model_validate(changes)


def test_a_traffic_plan_is_kept_and_empty_at_first(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path)
    register(store, 1)
    assert store.traffic("small") == TrafficPlan()
    wanted = plan(canary={"version": "2", "percent": 10}, shadow={"version": "2", "percent": 50}, also=["1", "2"])
    assert store.set_traffic("small", lambda _: wanted) == wanted
    assert store.traffic("small") == wanted
    assert list(wanted.versions()) == [("2", "canary"), ("2", "shadow"), ("1", "also"), ("2", "also")]
    assert store.versions("small") == ("1", "2")


def _with_canary(version: str, old: TrafficPlan) -> TrafficPlan:
    return old.model_copy(update={"canary": Share(version=version, percent=1)})


def test_a_plan_names_only_whole_versions(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path)
    register(store, 1)
    (store.bundle_path("small", "2") / MODEL).write_bytes(b"torn")
    for version, error, said in (
        ("2", BundleError, "altered"),
        ("3", StoreError, "no version '3'"),
        ("..", StoreError, "is no"),
    ):
        with pytest.raises(error, match=said):
            store.set_traffic("small", partial(_with_canary, version))
    assert not store.traffic_path("small").exists()
    # What a plan names already may be broken meanwhile; the rest of the plan can still be changed.
    store.traffic_path("small").write_text(plan(also=["2"]).model_dump_json())
    assert store.set_traffic("small", lambda old: old.model_copy(update={"retired": True})).retired


def test_a_promoted_canary_is_no_canary_any_more(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path)
    register(store, 1)
    register(store, 2)
    shadow = Share(version="3", percent=100)
    store.set_traffic("small", lambda _: TrafficPlan(canary=Share(version="2", percent=10), shadow=shadow))
    store.set_champion("small", "2")
    assert store.traffic("small") == TrafficPlan(shadow=shadow)


def test_a_rollback_takes_the_version_out_of_the_plan(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path, 0)
    promote(tmp_path, 1)
    share = {"version": "2", "percent": 10}
    store.traffic_path("small").write_text(plan(canary=share, shadow=share, also=["2"]).model_dump_json())
    store.rollback("small")
    assert store.traffic("small") == plan(also=["2"])


@pytest.mark.parametrize(
    "content", ["", "[]", '{"canary": "2"}', '{"canary": {"version": "2", "percent": 101}}', '{"more": 1}']
)
def test_a_corrupt_plan_is_named_and_stops_no_rollback(tmp_path: Path, content: str) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path, 0)
    promote(tmp_path, 1)
    store.traffic_path("small").write_text(content)
    with pytest.raises(StoreError, match="the traffic plan is corrupt"):
        store.traffic("small")
    assert store.rollback("small").version == "1"
    store.clear_traffic("small")
    assert store.traffic("small") == TrafficPlan()


def test_changes_of_a_plan_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path)
    versions = [register(store, bias) for bias in range(1, 7)]

    def add(version: str) -> None:
        store.set_traffic("small", lambda old: old.model_copy(update={"also": (*old.also, version)}))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, versions))
    assert sorted(store.traffic("small").also) == versions
