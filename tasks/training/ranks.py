"""The processes of a training on several devices: started, listened to, and never left behind."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks import errors
from tasks.children import how_it_ended
from tasks.errors import ConfigError, TrainingError
from tasks.progress import measured, progress
from tasks.references import CheckpointRef
from tasks.storage import is_remote
from tasks.training.job import TrainJob
from tasks.training.job_file import write_job
from tasks.training.machine import MachineConfig

# A line of a rank's output that begins so is an event, as JSON; others are for people.
EVENT = "\x1eheadrace "

# When a rank dies, those that wait for it fail soon after; who was first shows by how they ended.
_GRACE_SECONDS = 2.0
_LOOK_SECONDS = 1.0
_LAST_LINES = 20

Hear = Callable[[Mapping[str, Any]], None]

_logger = logging.getLogger(__name__)


@dataclass
class _Rank:
    """One process: its number among all, what it said last, and the error it named."""

    number: int
    process: subprocess.Popen[str]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    named: Mapping[str, str] | None = None

    def take(self, line: str, hear: Hear) -> None:
        if not line.startswith(EVENT):
            self.last.append(line)
            _logger.info("training   rank %d: %s", self.number, line)
            return
        event = json.loads(line.removeprefix(EVENT))
        if "error" in event:
            self.named = event["error"]
        hear(event)

    def end(self) -> None:
        """Kill the process with all that it started, if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


def train_in_ranks(job: TrainJob) -> CheckpointRef:
    """Train a network in a process for each device of this machine, together with those of the others.

    Raises:
        ConfigError: The devices are not there, the job is not on disk, or its checkpoints cannot go where they should.
        TrainingError: A process died; the message says which, how, and what it said last.
    """
    config = job.config
    machine = config.machine
    machine.device()
    if machine.strategy == "fsdp" and is_remote(job.work):
        raise ConfigError(
            f"train.machine.strategy: fsdp writes checkpoints to a disk only, and {job.work} is in an object store\n"
            "  do: write `strategy: ddp`, or use a HEADRACE_HOME on a disk that all machines share"
        )
    path = write_job(job)
    if machine.num_nodes > 1:
        _logger.info("training   waits for other machines; run there: python -m tasks.training.rank %s --node N", path)
    written: list[CheckpointRef] = []
    with progress("training", config.rounds * config.steps_per_round, "steps") as advance:

        def hear(event: Mapping[str, Any]) -> None:
            if "advance" in event:
                advance(event["advance"])
            elif "measured" in event:
                measured(*event["measured"])
            elif "checkpoint" in event:
                written.append(CheckpointRef.model_validate(event["checkpoint"]))

        run_node(path, machine, 0, hear)
    return written[0]


def run_node(job: Path, machine: MachineConfig, node: int, hear: Hear) -> None:
    """Run the ranks of one machine until all have ended.

    Args:
        job: The job's file.
        machine: How many there are.
        node: The machine's number, from 0.
        hear: Is told the events of its ranks.

    Raises:
        ValueError: What a rank raised, if that is one of `tasks.errors`; else a `TrainingError`.
    """
    host, port = machine.meeting_point() or ("127.0.0.1", _free_port())
    said: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
    ranks: list[_Rank] = []
    try:
        for local in range(machine.devices):
            place = {"MASTER_ADDR": host, "MASTER_PORT": str(port), "LOCAL_RANK": str(local), "NODE_RANK": str(node)}
            ranks.append(_start(job, machine, node * machine.devices + local, place))
            threading.Thread(target=_read, args=(local, ranks[-1].process, said), daemon=True).start()
        _follow(ranks, said, hear)
    finally:
        for rank in ranks:
            rank.end()


def _start(job: Path, machine: MachineConfig, number: int, place: Mapping[str, str]) -> _Rank:
    # A rank that took itself for part of a Prefect run would report to it.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **inherited,
        **place,
        "RANK": str(number),
        "WORLD_SIZE": str(machine.processes),
        "OMP_NUM_THREADS": str(machine.thread_count()),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUNBUFFERED": "1",
    }
    if machine.num_nodes == 1 and sys.platform == "linux":
        environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
    # The pipe to its standard input ends with this process, however that ends, and the rank with the pipe.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tasks.training.rank", str(job), "--watched"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    return _Rank(number, process)


def _read(local: int, process: subprocess.Popen[str], said: queue.SimpleQueue[tuple[int, str | None]]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.put((local, line.rstrip("\n")))
    said.put((local, None))


def _follow(ranks: Sequence[_Rank], said: queue.SimpleQueue[tuple[int, str | None]], hear: Hear) -> None:
    running, until = len(ranks), float("inf")
    while running and time.monotonic() < until:
        try:
            local, line = said.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
        if line is not None:
            ranks[local].take(line, hear)
            continue
        running -= 1
        if ranks[local].process.wait() and until == float("inf"):
            until = time.monotonic() + _GRACE_SECONDS
    failed = [rank for rank in ranks if rank.process.poll()]
    if failed:
        raise _what_happened(failed, len(ranks))


def _what_happened(failed: Sequence[_Rank], ranks: int) -> ValueError:
    """Return the error of the rank that was the first to fail: one that was killed, or that says why it ended."""
    killed = [rank for rank in failed if rank.process.returncode < 0]
    named = [rank for rank in failed if rank.named is not None]
    if named and not killed:
        what = named[0].named
        assert what is not None
        kind = getattr(errors, what["type"], TrainingError)
        error: ValueError = kind(what["message"])
        return error
    rank = (killed or failed)[0]
    how = how_it_ended(rank.process.returncode)
    last = "\n".join(f"    {line}" for line in rank.last) or "    (nothing)"
    return TrainingError(
        f"training: rank {rank.number} {how}; the others of this machine's {ranks} ranks were ended\n"
        f"  it said last:\n{last}\n"
        "  do: mend what it says and run again; training goes on from its last checkpoint"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
