"""Why things stay, and what goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.bundle.errors import StoreError
from tasks.errors import ConfigError
from tasks.retention.items import CONTENT
from tests.tasks.retention.homes import Home, digest


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_home_that_is_not_there_has_nothing_to_remove(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.folder = tmp_path / "nowhere"
    assert home.survey().goes == home.survey().stays == ()
    assert not home.folder.exists()


def test_champions_former_ones_and_the_traffic_plan_stay_with_all_they_refer_to(home: Home) -> None:
    data = [home.content("datasets", number) for number in range(1, 9)]
    trained = [home.content("checkpoints", number, [path]) for number, path in enumerate(data, 1)]
    for number, path in enumerate(trained, 1):
        home.version(number, [path])
    home.point(2, 1)
    share = {"version": "4", "percent": 5}
    home.plan(canary=share, shadow={**share, "version": "5"}, also=["6"])
    whys = {number: home.why(f"models/m/{number}") for number in (1, 2, 4, 5, 6, 8)}
    assert whys == {
        1: "a former champion",
        2: "champion",
        4: "in the traffic plan (canary)",
        5: "in the traffic plan (shadow)",
        6: "in the traffic plan (also)",
        8: "of the newest 1",
    }
    gone = {f"{kind}/{digest(number)}" for kind in ("datasets", "checkpoints") for number in (3, 7)}
    assert home.goes() == gone | {"models/m/3", "models/m/7"}
    kept = next(verdict for verdict in home.survey().stays if verdict.item.path == data[1])
    assert (kept.why, kept.used_by) == ("used by what stays", "models/m/2")


def test_a_corrupt_pointer_stops_everything(home: Home) -> None:
    home.version(1)
    (home.folder / "models/m/champion").write_text("{")
    with pytest.raises(StoreError, match="the champion pointer is corrupt"):
        home.survey()
    home.point(1)
    (home.folder / "models/m/traffic").write_text("{")
    with pytest.raises(StoreError, match="the traffic plan is corrupt"):
        home.survey()


def test_runs_stay_by_number_by_age_and_where_they_made_a_champion(home: Home) -> None:
    for number in (1, 2):
        home.version(number)
    home.point(1)
    made = home.run("p/2026-1", version="models/m/1")
    again = home.run("p/2026-2", version="models/m/1")
    middle, newest = (home.run(f"p/2026-{index}", version="models/m/2") for index in (3, 4))
    young, other = home.run("p/2026-5", days=5), home.run("q/2026-1", version="models/m/2")
    assert home.goes(keep_runs=1) == {again, middle}
    assert home.why(made, keep_runs=1) == "made a version that is or was champion"
    assert home.why(newest, keep_runs=1) == home.why(other, keep_runs=1) == "of the newest 1"
    assert home.why(young, keep_runs=1) == "younger than 30 days"
    assert home.goes(keep_runs=1, keep_days=2) == {again, middle, young}


def test_a_kept_run_keeps_what_it_made_its_version_and_the_version_that_it_started_from(home: Home) -> None:
    for number in (1, 2, 3, 4):
        home.version(number)
    data, lost = home.content("datasets", "data"), home.content("datasets", "lost")
    asked = {"train": {"start_from": {"bundle": "m@1"}}}
    home.run("p/2026-1", [data], version="models/m/2", config=asked)
    assert home.goes(keep_runs=1) == {lost, "models/m/3"}


def test_results_that_lead_to_what_stays_are_reused_and_others_go(home: Home) -> None:
    one, two = (home.content("datasets", name) for name in ("one", "two"))
    home.version(1, [one])
    kept, half = home.record("kept", [one]), home.record("half", [one, two])
    said = home.record("nothing", [])
    assert home.goes() == {two, half, said}
    assert home.why(kept) == "leads to what stays"
    young = home.record("young", [two], days=5)
    assert home.goes() == {said}
    assert home.why(young) == "younger than 30 days"


def test_a_run_that_may_go_on_keeps_every_result_until_one_of_its_settings_has_finished(home: Home) -> None:
    home.version(1)
    data = home.content("datasets", "reused")
    record = home.record("reused", [data])
    stopped = home.run("p/2026-1", days=5, config="a")
    home.run("p/2026-2", days=4, config="b", version="models/m/1")
    assert home.goes() == set()
    assert home.why(record) == f"{stopped} may go on from it"
    home.run("p/2026-3", days=3, config="a", version="models/m/1")
    assert home.goes() == {data, record}


def test_while_a_run_or_a_search_may_be_at_work_no_data_goes(home: Home) -> None:
    raw, leftover = home.content("datasets", "raw"), home.age(_leftover(home, "datasets/.tmp-1"), 5)
    run = home.run("p/2026-1", days=0.5)
    assert home.goes() == {leftover}
    assert home.why(raw) == f"{run} may be at work"
    home.age(run, 5)
    assert home.goes() == {raw, leftover}
    (home.folder / "searches").mkdir()
    (home.folder / "searches" / "p.db").write_bytes(b"")
    assert home.why(raw) == "a search may be at work"


def test_unfinished_trainings_stay_for_a_while_and_finished_ones_do_not(home: Home) -> None:
    features = home.content("datasets", "features")
    unfinished = home.training("unfinished", [features], days=5)
    given_up, finished = home.training("given up"), home.training("finished", days=5)
    logged, fresh = home.training("logged", logs=True), home.training("fresh", days=0.5)
    checkpoint = home.content("checkpoints", "made")
    home.version(1, [checkpoint])
    for name in ("finished", "logged", "fresh"):
        home.record(name, [checkpoint])
    assert home.goes() == {given_up, finished}
    assert home.why(unfinished) == "unfinished, and younger than 30 days"
    assert home.why(logged) == "holds the logs of a training that stays"
    assert home.why(fresh) == "written in the last 24 h"


def test_what_was_just_written_stays_with_what_it_refers_to(home: Home) -> None:
    data = home.content("datasets", "old")
    certificate = home.content("certificates", "fresh", [data], days=0.5)
    assert home.goes() == set()
    assert home.goes(grace_hours=6) == {data, certificate}


def test_of_one_pipeline_only_what_its_runs_led_to_goes(home: Home) -> None:
    shared, mine, orphan = (home.content("datasets", name) for name in ("shared", "mine", "orphan"))
    record, elsewhere = home.record("mine", [mine]), home.record("elsewhere", [orphan])
    trained = home.training("mine")
    for model, numbers in (("m", (1, 2)), ("n", (1, 2))):
        for number in numbers:
            home.version(number, model=model)
    run = home.run("p/2026-1", [shared, mine], version="models/m/2")
    other = home.run("q/2026-1", [shared], version="models/n/2")
    leftover = home.age(_leftover(home, ".tmp-1"), 5)
    everything = {run, other, shared, mine, orphan, record, elsewhere, trained, leftover, "models/m/1", "models/n/1"}
    assert home.goes() == everything
    assert home.goes(pipeline="p") == {run, mine, record, trained, "models/m/1"}
    assert home.why(other, pipeline="p") == home.why("models/n/1", pipeline="p") == "of another pipeline"
    with pytest.raises(ConfigError, match=r"--pipeline 'pp'.*expected one of: p, q\n  do: write 'p'"):
        home.survey(pipeline="pp")


def test_what_is_none_of_headraces_stays_untouched(home: Home) -> None:
    for path in (
        "keys.json",
        "datasets/notes",
        "datasets/README/a",
        f"own/{digest(1)}/a",
        "runs/p/notes",
        "models/m/x",
    ):
        (home.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (home.folder / path).write_text("mine")
    named = home.version("by-hand", [home.content("datasets", "kept")])
    assert home.goes(keep_days=0, grace_hours=0) == set()
    assert home.why(named) == "has a name of its own"


def test_bytes_are_those_that_become_free(home: Home) -> None:
    home.version(1, [home.content("datasets", "kept")])
    kept, first, second = (home.folder / home.content("datasets", name) / "rows" for name in ("kept", 1, 2))
    kept.write_bytes(b"x" * 1_000)
    first.hardlink_to(kept)
    for name in (1, 2):
        home.age(f"datasets/{digest(name)}", 40)
    found = home.survey()
    small = [verdict.size for verdict in found.goes]
    assert len(small) == 2
    assert max(small) < 500, "the other name keeps the bytes"
    second.parent.joinpath("more").write_bytes(b"x" * 1_000)
    second.hardlink_to(second.parent / "more")
    home.age(f"datasets/{digest(2)}", 40)
    more = [verdict.size for verdict in home.survey().goes]
    assert sum(more) == sum(small) + 1_000


def test_a_kind_on_another_disk_is_seen_through_its_link(home: Home, tmp_path: Path) -> None:
    home.version(1, [home.content("datasets", "kept")])
    home.content("datasets", "lost")
    (home.folder / "datasets").rename(tmp_path / "disk")
    (home.folder / "datasets").symlink_to(tmp_path / "disk")
    assert home.goes() == {f"datasets/{digest('lost')}"}


def test_reports_of_the_drift_watch_stay_by_age_and_keep_nothing(home: Home) -> None:
    bundle = home.content("bundles", "lost")
    old, young = home.watched("p/1", [bundle]), home.watched("p/2", [bundle], days=5)
    assert home.goes() == {bundle, old}
    assert home.why(young) == "younger than 30 days"
    runs = {home.run("p/2026-1"), home.run("q/2026-1")}
    assert home.goes(pipeline="p") == {old, "runs/p/2026-1"}
    assert home.goes(pipeline="q") == {"runs/q/2026-1"}
    assert home.goes() == {bundle, old, *runs}


def test_every_kind_of_content_is_known() -> None:
    """A new kind that `tasks/` writes must be named in `CONTENT`, or it is never removed."""
    written = set()
    for path in (Path(__file__).parents[3] / "tasks").rglob("*.py"):
        text = path.read_text()
        written |= {each.split('"')[1] for each in text.split("home /")[1:] if each.startswith(' "')}
    assert written - {"models", "training"} <= set(CONTENT)
    assert {"splits", "certificates", "label_noise"} <= written


def _leftover(home: Home, path: str) -> str:
    (home.folder / path).mkdir(parents=True)
    (home.folder / path / "part").write_text("half")
    return path
