"""The reference job by every engine, side by side: one command, one table.

    python -m benchmarks.data.compare --rows 2000000 --repeats 3

Engines run in turn, each in a process of its own, and every output is held against the generator's truth.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data.dirty.generate import generate
from benchmarks.data.measure import Measured, measure

PEERS = Path(".venv-peers/bin/python")
EXPECTATIONS = Path(__file__).with_name("expectations.yaml")
_PACKAGES = (
    "polars>=1.36",
    "duckdb>=1.4",
    "pyarrow>=26",
    "numpy>=2.4",
    "pandas>=3.0",
    "dask[dataframe]",
    "distributed",
)


@dataclass(frozen=True)
class Engine:
    """A module that does the job: `python -m MODULE IN OUT MORE`."""

    module: str
    python: str = str(PEERS)
    more: tuple[str, ...] = ()
    checked: bool = True


ENGINES = {
    "headrace": Engine("benchmarks.data.headrace_engine", sys.executable),
    "headrace, Parquet features": Engine("benchmarks.data.headrace_engine", sys.executable, ("parquet",)),
    "headrace, 25 expectations": Engine("benchmarks.data.headrace_engine", sys.executable, (str(EXPECTATIONS),)),
    "headrace, 25 expectations and their documents": Engine(
        "benchmarks.data.headrace_engine", sys.executable, (str(EXPECTATIONS), "documents")
    ),
    "polars": Engine("benchmarks.data.peers.polars_engine"),
    "duckdb": Engine("benchmarks.data.peers.duckdb_engine"),
    "dask": Engine("benchmarks.data.peers.dask_dataframe"),
    "floor": Engine("benchmarks.data.peers.floor", checked=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--folder", type=Path, default=Path("data/benchmark"))
    arguments = parser.parse_args()
    _install_peers()
    for rows in arguments.rows:
        source = arguments.folder / f"rows-{rows}"
        if not (source / "truth.json").exists():
            generate(source, rows)
        found = _run(source, arguments.folder / "out", arguments.engines, arguments.repeats)
        print(_table(rows, found))


def _install_peers() -> None:
    if not PEERS.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS.parent.parent], check=True)
        subprocess.run([PEERS, "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)


def _run(source: Path, out: Path, engines: Sequence[str], repeats: int) -> dict[str, list[Measured]]:
    """Run the engines in turn, as often as asked, and check what each wrote in its last turn."""
    found: dict[str, list[Measured]] = {name: [] for name in engines}
    for turn in range(repeats):
        for name in engines:
            engine = ENGINES[name]
            shutil.rmtree(out / name, ignore_errors=True)
            command = [engine.python, "-W", "ignore", "-m", engine.module, str(source), str(out / name), *engine.more]
            found[name].append(measure(command))
            if engine.checked and turn == repeats - 1:
                _require_right(name, source, out)
            shutil.rmtree(out / name, ignore_errors=True) if name != "polars" else None
    shutil.rmtree(out, ignore_errors=True)
    return found


def _require_right(name: str, source: Path, out: Path) -> None:
    written = out / name
    if ENGINES[name].python == sys.executable:
        shown = out / "headrace-shown"
        subprocess.run([sys.executable, "-m", "benchmarks.data.headrace_output", written, shown], check=True)
        written = shown
    others = [str(out / "polars")] if name != "polars" and (out / "polars").exists() else []
    command = [str(PEERS), "-m", "benchmarks.data.check", str(source), str(written), *others]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    if checked.returncode:
        wrong = json.loads(checked.stdout) if checked.stdout else [checked.stderr]
        print(f"{name} is WRONG:", *wrong, sep="\n  ")


def _table(rows: int, found: dict[str, list[Measured]]) -> str:
    def median(name: str, figure: str) -> float:
        return statistics.median(getattr(each, figure) for each in found[name])

    lines = [
        f"\n{rows:,} rows, medians of {len(next(iter(found.values())))}",
        "| engine | CPU s | wall s | peak MiB | CPU ÷ polars | CPU ÷ floor | memory ÷ polars |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in found:
        cpu, wall, memory = (median(name, figure) for figure in ("cpu", "wall", "memory"))
        shares = [
            f"{value / median(other, figure):.2f}" if other in found else ""
            for value, other, figure in ((cpu, "polars", "cpu"), (cpu, "floor", "cpu"), (memory, "polars", "memory"))
        ]
        lines.append(f"| {name} | {cpu:.1f} | {wall:.1f} | {memory / 2**20:,.0f} | {' | '.join(shares)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
