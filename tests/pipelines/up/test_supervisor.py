from __future__ import annotations

import signal
from pathlib import Path

import psutil
from hypothesis import given
from hypothesis import strategies as st

from pipelines.up.program import Patience
from tests.pipelines.up.group import Group, Small, all_gone, supervised, wait_until

# A shell that ends at SIGTERM even while a command of its runs, and says so.
_ENDING = "trap 'echo {0} >> $FOLDER/ended; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
_DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
# A process in a session of its own, as Prefect's worker starts its runs.
_WITH_FAR_CHILD = "setsid sleep 1000 & echo ready; wait"


def _named(group: Group, word: str) -> list[psutil.Process]:
    return [each for each in group.everybody() if each.name() == word]


def test_programs_start_in_order_and_stop_in_the_opposite_one(tmp_path: Path) -> None:
    first = Small("first", _ENDING.format("first"))
    job = Small("job", "echo ready or so; exit 0", after=("first",), once=True)
    second = Small("second", _ENDING.format("second"), after=("first", "job"))
    with supervised(tmp_path, first, job, second) as group:
        group.wait_for("all ready")
        assert '"job": "ready or so"' in group.said[0]
        everybody = group.everybody()
        assert group.end(signal.SIGTERM) == 0
        assert all_gone(everybody)
    assert (tmp_path / "ended").read_text().split() == ["second", "first"]


def test_what_ends_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    flaky = Small("flaky", "echo ready; sleep 0.2; echo last words; exit 3")
    with supervised(tmp_path, flaky, Small("steady", _ENDING.format("steady"))) as group:
        group.wait_for("starting it again in 0.1 s", times=2)
        assert group.end(signal.SIGINT) == 0
        said = group.said
    assert "flaky ended with code 3; starting it again in 0.05 s" in said
    assert "flaky  | last words" in said
    assert sum("all ready" in line for line in said) == 1
    assert "last words" in (tmp_path / "flaky.log").read_text()


def test_what_never_gets_ready_stops_the_group_with_its_last_lines(tmp_path: Path) -> None:
    broken = Small("broken", "echo the reason; kill -9 $$")
    with supervised(tmp_path, Small("steady", _ENDING.format("steady")), broken) as group:
        assert group.process.wait(20) == 1
        said = group.said
    assert "broken | the reason" in said
    assert (
        f"broken 3 times in a row before it was ready, the last time ended by signal 9; its log is {tmp_path}"
        in (said[-1])
    )
    assert (tmp_path / "ended").read_text().split() == ["steady"]


def test_what_does_one_thing_and_fails_ends_the_group_with_its_code(tmp_path: Path) -> None:
    wrong = Small("job", "echo no such column; exit 2", once=True)
    with supervised(tmp_path, wrong, Small("later", "touch $FOLDER/later; echo ready", after=("job",))) as group:
        assert group.process.wait(20) == 2
        assert group.said[0] == "job   | no such column"
    assert not (tmp_path / "later").exists()


def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    with supervised(tmp_path, Small("deaf", _DEAF, grace_seconds=1000)) as group:
        group.wait_for("all ready")
        everybody = group.everybody()
        assert group.end(signal.SIGTERM, signal.SIGTERM) == 0
        assert all_gone(everybody)


def test_what_overstays_its_grace_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path, Small("deaf", _DEAF, grace_seconds=0.2)) as group:
        group.wait_for("all ready")
        everybody = group.everybody()
        assert group.end(signal.SIGTERM) == 0
        assert all_gone(everybody)


def test_a_supervisor_that_is_killed_leaves_nobody_and_no_disorder(tmp_path: Path) -> None:
    first = Small("first", _ENDING.format("first"))
    second = Small("second", _ENDING.format("second"), after=("first",))
    deaf = Small("deaf", _DEAF, grace_seconds=0.2)
    with supervised(tmp_path, first, second, deaf, Small("far", _WITH_FAR_CHILD, grace_seconds=0.5)) as group:
        group.wait_for("all ready")
        everybody = group.everybody()
        assert _named(group, "sleep")
        group.end(signal.SIGKILL)
        wait_until(lambda: all_gone(everybody), lambda: f"left: {everybody}")
    assert (tmp_path / "ended").read_text().split() == ["second", "first"]


def test_what_a_killed_program_leaves_behind_is_ended_before_it_starts_again(tmp_path: Path) -> None:
    with supervised(tmp_path, Small("far", f"echo $$ >> $FOLDER/pids; {_WITH_FAR_CHILD}", grace_seconds=0.5)) as group:
        group.wait_for("all ready")
        left = [each for each in group.everybody() if each.name() == "sleep"]
        assert left
        psutil.Process(int((tmp_path / "pids").read_text())).kill()
        group.wait_for("far ended by signal 9; starting it again")
        assert all_gone(left)
        wait_until(lambda: len((tmp_path / "pids").read_text().split()) > 1, lambda: "not started again")
        group.end(signal.SIGTERM)


def test_a_killed_keeper_takes_all_it_kept_with_it(tmp_path: Path) -> None:
    with supervised(tmp_path, Small("far", _WITH_FAR_CHILD)) as group:
        group.wait_for("all ready")
        everybody = group.everybody()
        psutil.Process(group.process.pid).children()[0].kill()
        group.wait_for("far ended by signal 9; starting it again")
        assert all_gone(everybody)
        group.end(signal.SIGTERM)


@given(st.lists(st.floats(0, 100)))
def test_pauses_grow_to_a_limit_and_begin_again_after_a_long_life(lives: list[float]) -> None:
    patience, pause = Patience(), None
    for lived in lives:
        before, pause = pause, patience.pause_after(pause, lived)
        assert patience.first_pause <= pause <= patience.longest_pause
        if before is None or lived >= patience.proven_seconds:
            assert pause == patience.first_pause
        else:
            assert pause == min(2 * before, patience.longest_pause)
