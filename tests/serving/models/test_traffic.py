"""The traffic plan, followed: canary, shadow, further versions, versions kept, retired models, what is refused."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.manifest import MODEL
from serving.bundle.store import ModelStore
from serving.bundle.traffic import TrafficPlan
from serving.errors import NotFoundError
from serving.models.loaded import LoadedModel
from tests.serving.bundles import promote
from tests.serving.models.house import NAMES, House


def test_a_canary_gets_its_part_and_the_same_requests_again(house: House) -> None:
    assert not house.served.lineup("small").splits
    house.plan(canary={"version": "2", "percent": 25})
    assert house.roles == {"1": "champion", "2": "canary"}
    first = house.picked(NAMES)
    assert first == house.picked(NAMES)
    assert 70 < first.count("2") < 130
    house.plan(canary={"version": "2", "percent": 50})
    second = house.picked(NAMES)
    assert all(after == "2" for before, after in zip(first, second, strict=True) if before == "2")
    assert house.served.lineup("small").pick("1", "r-0").model.version == "1"
    house.plan(canary={"version": "2", "percent": 100})
    assert set(house.picked([*NAMES, ""])) == {"2"}
    house.plan(canary={"version": "2", "percent": 0})
    assert set(house.picked([*NAMES, ""])) == {"1"}


def test_a_version_that_is_still_named_is_not_loaded_again(house: House) -> None:
    house.plan(canary={"version": "2", "percent": 25}, also=["3"])
    before = house.served.lineup("small").versions
    house.plan(shadow={"version": "2", "percent": 25}, also=["3"])
    assert house.roles == {"1": "champion", "2": "shadow", "3": "also"}
    after = house.served.lineup("small").versions
    assert all(after[version] is before[version] for version in ("1", "2", "3"))
    house.champion("2")
    assert house.served.get("small") is before["2"].model
    assert house.roles == {"2": "champion", "3": "also", "1": "kept"}
    metadata = house.served.metadata("small", "3")
    assert (metadata["name"], metadata["versions"]) == ("small", ["2", "3", "1"])


def test_the_former_champion_is_kept_for_a_rollback_and_no_more(house: House) -> None:
    first = house.served.get("small")
    house.champion("2")
    assert house.roles == {"2": "champion", "1": "kept"}
    house.store.rollback("small")
    house.served.refresh()
    assert house.served.get("small") is first
    house.champion("3")
    assert house.roles == {"3": "champion", "1": "kept"}
    with pytest.raises(NotFoundError, match=r"version '2' is not served; served: small \(version 3\), small"):
        house.served.get("small", "2")


def test_how_many_are_kept_is_a_setting(tmp_path: Path) -> None:
    house = House(tmp_path / "two", kept=2)
    house.champion("2")
    house.champion("3")
    assert house.roles == {"3": "champion", "2": "kept", "1": "kept"}
    house = House(tmp_path / "none", kept=0)
    gone = weakref.ref(house.served.get("small"))
    house.champion("2")
    assert house.roles == {"2": "champion"}
    house.served.refresh()
    assert gone() is None


def test_a_broken_version_is_refused_and_the_rest_serves_on(house: House, caplog: pytest.LogCaptureFixture) -> None:
    (house.store.bundle_path("small", "3") / MODEL).write_bytes(b"torn")
    share = {"version": "3", "percent": 100}
    house.store.traffic_path("small").write_text(
        TrafficPlan.model_validate({"canary": share, "shadow": share, "also": ["2", "9"]}).model_dump_json()
    )
    with caplog.at_level(logging.ERROR):
        house.served.refresh()
        house.served.refresh()
    assert house.roles == {"1": "champion", "2": "also"}
    assert set(house.picked(NAMES)) == {"1"}
    assert house.served.lineup("small").shadow is None
    assert caplog.text.count("refused the canary of model small, the champion serves on") == 1
    assert house.served.ready
    (overview,) = house.served.overview()
    assert set(overview["refused"]) == {"3", "9"}
    assert "altered" in overview["refused"]["3"]


def test_a_corrupt_plan_is_refused_and_the_one_before_it_stays(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.plan(also=["2"])
    house.store.traffic_path("small").write_text("{")
    with caplog.at_level(logging.ERROR):
        house.served.refresh()
    assert "refused the traffic plan of model small, the one before it stays" in caplog.text
    assert house.roles == {"1": "champion", "2": "also"}


def test_a_broken_champion_does_not_stop_the_plan(house: House) -> None:
    house.store.pointer_path("small").write_text('{"version": "2", "digest": "0"}')
    house.plan(also=["3"])
    assert house.roles == {"1": "champion", "3": "also"}
    (overview,) = house.served.overview()
    assert "not the bundle that was promoted" in overview["refused"]["champion"]


def test_a_retired_model_is_unloaded_and_comes_back(house: House) -> None:
    gone = weakref.ref(house.served.get("small"))
    house.plan(retired=True)
    with pytest.raises(NotFoundError, match=r"retired; `headrace models restore`"):
        house.served.get("small")
    assert house.served.ready
    assert house.served.loaded == {}
    assert [(each["retired"], each["champion"]) for each in house.served.overview()] == [(True, None)]
    house.served.refresh()
    assert gone() is None
    house.plan(retired=False)
    assert house.served.get("small").version == "1"


def test_an_overview_says_who_serves_as_what(house: House) -> None:
    house.plan(canary={"version": "2", "percent": 25}, shadow={"version": "3", "percent": 50})
    (overview,) = house.served.overview()
    assert [(each["version"], each["role"]) for each in overview["versions"]] == [
        ("1", "champion"),
        ("2", "canary"),
        ("3", "shadow"),
    ]
    assert (overview["canary_percent"], overview["shadow_percent"]) == (25, 50)


def test_a_disk_that_fails_for_one_model_stops_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(house.store.root, name="zebra")
    house.store.set_champion("small", "2")
    known = ModelStore.champion

    def champion(store: ModelStore, model: str) -> Any:
        if model == "small":
            raise OSError(5, "Input/output error")
        return known(store, model)

    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "champion", champion)
        with pytest.raises(OSError, match="Input/output"):
            house.served.refresh()
    assert house.served.get("zebra").version == "1"
    assert house.served.get("small").version == "1"
    house.served.refresh()
    assert house.served.get("small").version == "2"


def test_a_defect_does_not_stop_the_endpoint_from_following(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(*_: Any) -> None:
        raise KeyError("unforeseen")

    async def until(holds: Callable[[], bool]) -> None:
        for _ in range(2000):
            if holds():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it did not happen in time")

    async def run() -> None:
        watching = asyncio.create_task(house.served.watch(0.005))
        with monkeypatch.context() as patch:
            patch.setattr(LoadedModel, "load", defect)
            house.store.set_champion("small", "2")
            await until(lambda: "it breaks what reads it" in caplog.text)
        assert house.served.get("small").version == "1"
        house.store.set_champion("small", "3")
        await until(lambda: house.served.get("small").version == "3")
        watching.cancel()

    asyncio.run(run())
    assert caplog.text.count("KeyError: 'unforeseen'") == 1
