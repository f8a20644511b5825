"""One round: a run that is hurt, a second that is left alone, and what is wrong afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.chaos.blows import Scene, small_disk, strike
from tests.end_to_end.chaos.drawing import SETTINGS, Blow, Variant
from tests.end_to_end.chaos.server import Server
from tests.end_to_end.chaos.wholeness import MARK, champion_digest, left_over, torn
from tests.end_to_end.conftest import Shell
from tests.end_to_end.customers import write_project

ROWS = 2000
# The bar for what a run started.
GONE_SECONDS = 15.0
_RUN_SECONDS = 400


@dataclass(frozen=True)
class Unharmed:
    """What a run that was left alone made, and how long it took."""

    digest: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came of a round.

    Attributes:
        first: How the hurt run ended: its exit status and the error that it named, or `went on` for 0.
        reused: How many pieces the second run found finished.
        wrong: What does not hold, a sentence each.
    """

    blow: Blow
    first: str
    reused: int
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Bench:
    """One project on one server.

    Attributes:
        mark: In the environment of every process that its runs start.
    """

    folder: Path
    server: Server
    mark: str

    @classmethod
    def set_up(cls, folder: Path, server: Server) -> Bench:
        """Write the project."""
        write_project(folder, rows=ROWS)
        return cls(folder, server, uuid.uuid4().hex)

    @property
    def home(self) -> Path:
        """Headrace's."""
        return self.folder / "home"

    def start(self, variant: Variant, name: str) -> subprocess.Popen[bytes]:
        """Start a run; what it says goes to files of that name."""
        shell = Shell(self.folder, {"PREFECT_API_URL": self.server.api, MARK: self.mark, "OMP_NUM_THREADS": "1"})
        options = [word for setting in SETTINGS[variant] for word in ("--set", setting)]
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.err").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "pipelines", "run", "customers.yaml", "--json", *options],
                cwd=self.folder,
                env=shell.environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def said(self, name: str) -> str:
        """Return what a run said to people."""
        return (self.folder / f"{name}.err").read_text()

    def error(self, name: str) -> str:
        """Return the name of the error that a run ended with; none if it could not say."""
        told = (self.folder / f"{name}.out").read_text().splitlines()
        return str(json.loads(told[-1]).get("error", "")) if told else ""

    def digest(self, name: str) -> str:
        """Return the digest of the model that a run promoted."""
        return str(json.loads((self.folder / f"{name}.out").read_text().splitlines()[-1])["digest"])


def unharmed(bench: Bench, variant: Variant) -> Unharmed:
    """Run once and leave it alone."""
    began = time.monotonic()
    assert bench.start(variant, "unharmed").wait(_RUN_SECONDS) == 0, bench.said("unharmed")
    return Unharmed(bench.digest("unharmed"), time.monotonic() - began)


def play(bench: Bench, blow: Blow, expected: Unharmed) -> Outcome:
    """Hurt a run, run again, and look."""
    if blow.kind != "disk":
        return _play(bench, blow, expected, small=False)
    with small_disk(bench.home) as small:
        return _play(bench, blow, expected, small=small)


def _play(bench: Bench, blow: Blow, expected: Unharmed, *, small: bool) -> Outcome:
    process = bench.start(blow.variant, "hurt")
    try:
        time.sleep(blow.share * expected.seconds)
        if process.poll() is None:
            strike(Scene(blow, process, bench.server, bench.home, small))
        status = process.wait(_RUN_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
    wrong = [f"after {GONE_SECONDS:g} s still there: {each}" for each in left_over(bench.mark, GONE_SECONDS)]
    wrong += [f"torn after the blow: {each}" for each in torn(bench.home)]
    again = bench.start(blow.variant, "again")
    wrong += _judged(bench, expected, again.wait(_RUN_SECONDS))
    first = "went on" if status == 0 else f"{_named(status)} {bench.error('hurt')}".rstrip()
    return Outcome(blow, first, bench.said("again").count("reused"), tuple(wrong))


def _judged(bench: Bench, expected: Unharmed, status: int) -> list[str]:
    """Say what is wrong after the second run."""
    if status != 0:
        return [f"the second run ended with {_named(status)}: {bench.said('again')[-2000:]}"]
    digests: Mapping[str, str | None] = {
        "bundle": bench.digest("again"),
        "champion": champion_digest(bench.home, "churn"),
    }
    wrong = [f"another {what}: {digest}" for what, digest in digests.items() if digest != expected.digest]
    wrong += [f"torn after the second run: {each}" for each in torn(bench.home)]
    wrong += [f"left over: {each}" for each in left_over(bench.mark, GONE_SECONDS)]
    return wrong + [f"for ever running: {each}" for each in bench.server.running()]


def _named(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"signal {-status}"
