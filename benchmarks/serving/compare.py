"""The endpoint beside other servers, on the same ONNX model: one command, one table.

    python -m benchmarks.serving.compare --seconds 4 --repeats 3

Needs wrk. Servers take turns, one process at a time; each is installed into an environment of its own.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving.load import Load, load, resident_megabytes
from benchmarks.serving.model import network, write_store
from benchmarks.serving.servers import SERVERS, Started, UnavailableError, free_port, install, running

_WARM_SECONDS = 1


@dataclass(frozen=True)
class Case:
    """One kind of load."""

    rows: int
    connections: int
    binary: bool = False

    @property
    def title(self) -> str:
        """Say it in a table's head."""
        return f"{self.rows} rows, {'binary' if self.binary else 'JSON'}, {self.connections} connections"


CASES = (Case(1, 64), Case(1, 1), Case(128, 16), Case(128, 16, binary=True))


@dataclass
class Found:
    """What was measured of one server, one figure for each repeat."""

    ready: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    loads: dict[Case, list[Load]] = field(default_factory=lambda: defaultdict(list))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed\n  do: install it (Debian: apt-get install wrk)")
    found: dict[str, Found] = {}
    for repeat in range(arguments.repeats):
        for name in arguments.servers:
            if repeat and name not in found:
                continue
            try:
                _measure(name, arguments.seconds, found.setdefault(name, Found()))
            except UnavailableError as error:
                found.pop(name, None)
                print(f"skipped {name}: {error}", file=sys.stderr)
    print(_table(found))


def _measure(name: str, seconds: float, found: Found) -> None:
    python = install(name)
    content = network().SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        at = Started(python, Path(folder) / "model.onnx", Path(folder), free_port())
        at.model.write_bytes(content)
        write_store(at.folder / "models", content)
        with running(name, at) as (process, ready):
            found.ready.append(ready)
            for case in CASES:
                if case.binary and not SERVERS[name].binary:
                    continue
                sent = SERVERS[name].requests(case.rows, binary=case.binary)
                load(process, at.port, sent, case.connections, _WARM_SECONDS)
                found.loads[case].append(load(process, at.port, sent, case.connections, seconds))
            found.memory.append(resident_megabytes(process))


def _table(found: dict[str, Found]) -> str:
    lines = ["| server | ready s | MB |" + "".join(f" {case.title}: /s, p50, p99 ms, CPU us |" for case in CASES)]
    lines.append("|---|---|---|" + "---|" * len(CASES))
    for name, each in found.items():
        cells = [name, f"{statistics.median(each.ready):.2f}", f"{statistics.median(each.memory):.0f}"]
        cells += [_cell(each.loads[case]) for case in CASES]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(loads: Sequence[Load]) -> str:
    if not loads:
        return "-"
    rate, p50, p99, cpu = (
        statistics.median(getattr(each, name) for each in loads) for name in ("rate", "p50", "p99", "cpu")
    )
    errors = sum(each.errors for each in loads)
    return f"{rate:,.0f}, {p50:.2f}, {p99:.2f}, {cpu:,.0f}" + (f", {errors} ERRORS" if errors else "")


if __name__ == "__main__":
    main()
