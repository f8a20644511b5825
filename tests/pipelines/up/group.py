"""A supervisor in a process of its own, over small programs of the shell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from pipelines.up.program import Patience, Program
from pipelines.up.supervisor import Supervisor

ROOT = Path(__file__).parents[3]
_SECONDS = 20.0


@dataclass(frozen=True)
class Small:
    """A program that is a shell script, ready when it prints `ready`; `$FOLDER` is the test's folder."""

    name: str
    script: str
    after: tuple[str, ...] = ()
    once: bool = False
    grace_seconds: float = 5.0


@dataclass(frozen=True)
class Group:
    """A group under way.

    Attributes:
        process: The supervisor's.
        folder: Takes what the supervisor says, `said`, and the logs.
    """

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> list[str]:
        return (self.folder / "said").read_text().splitlines()

    def everybody(self) -> list[psutil.Process]:
        """Return all processes of the group but the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_for(self, line: str, times: int = 1) -> None:
        wait_until(lambda: sum(line in each for each in self.said) >= times, lambda: f"no {line!r} in {self.said}")

    def end(self, *numbers: signal.Signals) -> int:
        for number in numbers:
            self.process.send_signal(number)
            # Signals of one kind that come at once are one.
            time.sleep(0.1)
        return self.process.wait(_SECONDS)


def wait_until(true: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.02)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(_lives(each) for each in processes)


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


@contextmanager
def supervised(folder: Path, *programs: Small) -> Iterator[Group]:
    """Run a group until the block ends; whatever is left then is killed."""
    asked = json.dumps([asdict(each) for each in programs])
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipelines.up.group", str(folder), asked],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    group = Group(process, folder)
    try:
        yield group
    finally:
        if process.poll() is None:
            for each in [*group.everybody(), psutil.Process(process.pid)]:
                each.kill()
            process.wait()


def _main(folder: Path, asked: str) -> int:
    programs = [
        Program(
            name=each["name"],
            command=("/bin/sh", "-c", each["script"]),
            environment={**os.environ, "FOLDER": str(folder)},
            log=folder / f"{each['name']}.log",
            ready_line=re.compile("ready"),
            after=tuple(each["after"]),
            once=each["once"],
            grace_seconds=each["grace_seconds"],
        )
        for each in json.loads(asked)
    ]

    def say(line: str) -> None:
        print(line, flush=True)

    patience = Patience(first_pause=0.05, longest_pause=0.1, deaths=3)
    return Supervisor(programs, say, patience).run(lambda said: say(f"all ready: {json.dumps(dict(said))}"))


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2]))
