"""What a run that comes late does, and which partition a run takes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.client.schemas.objects import FlowRun, State, StateType

from pipelines.scheduling import due
from pipelines.scheduling.config import ScheduleConfig
from pipelines.scheduling.fire_times import fire_times
from pipelines.scheduling.partitions import PartitionsConfig
from tests.end_to_end.customers import PIPELINE, write_project
from tests.pipelines.scheduling.server_of_runs import MOST, ServerOfRuns, scheduled

OURS, OTHERS = uuid4(), uuid4()
NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
DAILY = "schedule: {cron: '0 6 * * *', missed: %s, overlap: queue}\n"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGUN = {"run_count": 1, "state": State(type=StateType.SCHEDULED, name="AwaitingRetry")}
RUNNING = {"run_count": 1, "state": State(type=StateType.RUNNING, name="Running"), "state_type": StateType.RUNNING}


class _Clock(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return NOW


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, rows=20)
    for policy in ("skip", "latest", "all"):
        (folder / f"{policy}.yaml").write_text(PIPELINE + DAILY % policy)
    cut = PIPELINE.replace("customers.csv", "customers-{partition}.csv")
    (folder / "months.yaml").write_text(cut + "partitions: {by: month, from: 2026-01-01}\n" + DAILY % "latest")
    watch = "watch: {samples: samples, schedule: {interval: 1h, missed: skip}}\n"
    (folder / "watched.yaml").write_text(PIPELINE + DAILY % "all" + watch)
    return folder


def at_work(monkeypatch: pytest.MonkeyPatch, server: ServerOfRuns, run: FlowRun) -> None:
    """Let a run be the one that asks a server."""
    monkeypatch.setattr(due, "datetime", _Clock)
    monkeypatch.setattr(due, "get_client", lambda **_: server)
    monkeypatch.setattr(due, "_current_run", lambda: run)


def settled(path: Path, runs: Sequence[FlowRun], current: int = 0, section: str = "schedule") -> tuple[str, list[str]]:
    """Let one of several runs settle what was missed; returns the name of its end, and of what became of the others."""
    server = ServerOfRuns(runs)
    with pytest.MonkeyPatch.context() as patched:
        at_work(patched, server, runs[current])
        state = due.missed(path, [], section)  # type: ignore[arg-type]
    names = server.names()
    del names[current]
    return "goes on" if state is None else str(state.name), names


def late(number: int) -> list[FlowRun]:
    """Return runs of the days before now, the first of them first."""
    return [scheduled(OURS, NOW - day * DAY) for day in range(number, 0, -1)]


@pytest.mark.parametrize(
    ("policy", "itself", "others"),
    [("latest", "goes on", "Missed"), ("skip", "Missed", "Missed"), ("all", "goes on", "Late")],
)
def test_the_first_to_start_settles_what_was_missed(folder: Path, policy: str, itself: str, others: str) -> None:
    for first in range(3):
        assert settled(folder / f"{policy}.yaml", late(3), first) == (itself, [others] * 2)


@pytest.mark.parametrize("policy", ["latest", "skip"])
def test_however_many_were_missed_none_is_left(folder: Path, policy: str) -> None:
    often = [scheduled(OURS, NOW - number * timedelta(minutes=1)) for number in range(2 * MOST + 3, 0, -1)]
    _, others = settled(folder / f"{policy}.yaml", often)
    assert set(others) == {"Missed"}


@pytest.mark.parametrize("policy", ["latest", "skip"])
def test_only_what_never_began_and_is_due_is_cancelled(folder: Path, policy: str) -> None:
    first, missed = late(2)
    others = [
        missed,
        scheduled(OURS, NOW + HOUR),
        scheduled(OTHERS, NOW - HOUR),
        scheduled(OURS, NOW - HOUR, auto_scheduled=False),
        scheduled(OURS, NOW - HOUR, **BEGUN),
        scheduled(OURS, NOW - HOUR, **RUNNING),
    ]
    _, became = settled(folder / f"{policy}.yaml", [first, *others])
    assert became == ["Missed", "Late", "Late", "Late", "AwaitingRetry", "Running"]


def test_a_run_that_is_deleted_meanwhile_stops_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = late(3)
    server = ServerOfRuns(runs)
    server.gone = {runs[1].id}
    at_work(monkeypatch, server, runs[0])
    assert due.missed(folder / "latest.yaml", []) is None
    assert server.names() == ["Late", "Late", "Missed"]


@pytest.mark.parametrize(
    "run",
    [
        scheduled(OURS, NOW - timedelta(minutes=9)),
        scheduled(OURS, NOW),
        scheduled(OURS, NOW + timedelta(minutes=1)),  # the server's clock is behind
        scheduled(OURS, NOW - DAY, auto_scheduled=False),
        scheduled(OURS, NOW - DAY, deployment_id=None),
        scheduled(OURS, NOW - DAY, start_time=NOW - HOUR, run_count=2),
    ],
    ids=["nine minutes", "in time", "early", "by hand", "without a deployment", "put back"],
)
def test_who_was_not_missed_goes_on_and_cancels_nobody(folder: Path, run: FlowRun) -> None:
    assert settled(folder / "skip.yaml", [run, scheduled(OURS, NOW - 2 * DAY)]) == ("goes on", ["Late"])


def test_a_run_that_comes_after_the_next_was_due_is_late_however_short_the_time(folder: Path) -> None:
    runs = [scheduled(OURS, NOW - timedelta(minutes=minutes)) for minutes in (2, 1)]
    assert settled(folder / "latest.yaml", runs) == ("goes on", ["Missed"])
    assert settled(folder / "skip.yaml", runs, 1) == ("goes on", ["Late"])


@pytest.mark.parametrize("before", ["AwaitingConcurrencySlot", "Missed"])
def test_a_run_that_waited_for_another_or_was_started_again_by_a_person_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    run = scheduled(OURS, NOW - DAY)
    server = ServerOfRuns([run])
    server.states[run.id] = [State(type=StateType.SCHEDULED, name=before, timestamp=NOW - HOUR)]
    at_work(monkeypatch, server, run)
    assert due.missed(folder / "skip.yaml", []) is None


def test_a_config_that_is_gone_is_for_the_run_itself_to_say(folder: Path) -> None:
    assert settled(folder / "gone.yaml", late(2)) == ("goes on", ["Late"])


def test_the_watch_has_a_time_table_of_its_own(folder: Path) -> None:
    assert settled(folder / "watched.yaml", late(2), section="watch") == ("Missed", ["Missed"])
    assert settled(folder / "watched.yaml", late(2)) == ("goes on", ["Late"])
    # Without a section `watch` nothing says otherwise.
    assert settled(folder / "skip.yaml", late(2), section="watch") == ("goes on", ["Missed"])


_KINDS: tuple[dict[str, object], ...] = ({}, BEGUN, RUNNING, {"deployment_id": OTHERS}, {"auto_scheduled": False})


@settings(max_examples=40, deadline=None)
@given(
    ages=st.lists(
        st.tuples(st.timedeltas(-DAY, 30 * DAY), st.sampled_from(range(len(_KINDS)))), min_size=1, max_size=12
    ),
    skip=st.booleans(),
)
def test_after_it_is_settled_nothing_that_was_missed_is_left(
    folder: Path, ages: list[tuple[timedelta, int]], skip: bool
) -> None:
    others = [scheduled(OURS, NOW - age, **_KINDS[kind]) for age, kind in ages]
    ends, became = settled(folder / ("skip.yaml" if skip else "latest.yaml"), [*late(1), *others])
    assert ends == ("Missed" if skip else "goes on")
    for run, name in zip(others, became, strict=True):
        assert run.expected_start_time is not None
        assert run.state is not None
        missed = run.deployment_id == OURS and run.auto_scheduled and not run.run_count
        expected = "Missed" if missed and run.expected_start_time <= NOW else run.state.name
        assert name == expected


def taken(path: Path, run: FlowRun, *others: FlowRun) -> str | None:
    with pytest.MonkeyPatch.context() as patched:
        at_work(patched, ServerOfRuns([run, *others]), run)
        return due.partition_of_run(path, [], None)


def test_a_run_takes_the_partition_of_its_time_and_a_late_one_that_of_its_start(folder: Path) -> None:
    months = folder / "months.yaml"
    assert taken(months, scheduled(OURS, NOW)) == "2026-05"
    long_ago = datetime(2026, 3, 1, tzinfo=UTC)
    assert taken(months, scheduled(OURS, long_ago)) == "2026-05"
    assert taken(months, scheduled(OURS, long_ago, auto_scheduled=False)) == "2026-02"
    assert taken(folder / "all.yaml", scheduled(OURS, NOW)) is None


def test_a_run_that_was_put_back_goes_on_with_the_partition_that_it_had(folder: Path) -> None:
    months = folder / "months.yaml"
    march, april = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))
    again = {"run_count": 2}
    # In time then, and put back until now; runs that became due meanwhile do not make it late.
    in_time = scheduled(OURS, march, start_time=march + timedelta(minutes=1), **again)
    assert taken(months, in_time, scheduled(OURS, april)) == "2026-02"
    # Late then: it began in April, with what was over by then.
    too_late = scheduled(OURS, march, start_time=april + HOUR, **again)
    assert taken(months, too_late) == "2026-03"


def test_a_partition_that_is_named_is_taken(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        run = scheduled(OURS, NOW)
        at_work(patched, ServerOfRuns([run]), run)
        assert due.partition_of_run(folder / "months.yaml", [], "2026-01") == "2026-01"


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
@pytest.mark.parametrize("by", ["day", "week", "month", "year"])
def test_a_schedule_at_midnight_takes_each_partition_once_whatever_the_clocks_do(zone: str, by: str) -> None:
    cron = {"day": "0 0 * * *", "week": "0 0 * * 1", "month": "0 0 1 * *", "year": "0 0 1 1 *"}[by]
    # Over a leap day, and four changes of the clocks.
    partitions = PartitionsConfig.model_validate({"by": by, "from": date(2022, 1, 1), "timezone": zone})
    times = fire_times([ScheduleConfig(cron=cron, timezone=zone)], datetime(2024, 2, 1, tzinfo=UTC), 400)
    taken = [partitions.last_complete(time) for time in times]
    assert None not in taken
    assert len(set(taken)) == len(times)
    first, last = taken[0], taken[-1]
    assert taken == partitions.between(first, last)
    assert all(partitions.is_complete(str(name), time) for name, time in zip(taken, times, strict=True))
    assert not any(partitions.is_complete(str(name), time) for name, time in zip(taken[1:], times, strict=False))
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
