"""`python -m tests.end_to_end.chaos --seeds 50`: a table of what came of every round."""

from __future__ import annotations

import argparse
import queue
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from tests.end_to_end.chaos.drawing import Blow, Variant, draw
from tests.end_to_end.chaos.rounds import Bench, Outcome, Unharmed, play, unharmed
from tests.end_to_end.chaos.server import Server


def main() -> None:
    """Play the rounds of the seeds, and end with 1 if anything is wrong in one."""
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many rounds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--lanes", type=int, default=1, help="how many rounds at a time, each lane on its own server")
    asked = parser.parse_args()
    waiting: queue.SimpleQueue[Blow] = queue.SimpleQueue()
    for seed in range(asked.first, asked.first + asked.seeds):
        waiting.put(draw(seed))
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="headrace-chaos-") as scratch:
        lanes = [
            threading.Thread(target=_lane, args=(Path(scratch) / str(number), waiting, outcomes))
            for number in range(asked.lanes)
        ]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
    failed = [outcome for outcome in outcomes if outcome.wrong]
    print(f"{len(outcomes)} rounds, {len(failed)} wrong")
    sys.exit(1 if failed or len(outcomes) < asked.seeds else 0)


def _lane(folder: Path, waiting: queue.SimpleQueue[Blow], outcomes: list[Outcome]) -> None:
    server = Server(folder / "server")
    server.start()
    expected: dict[Variant, Unharmed] = {}
    try:
        while True:
            try:
                blow = waiting.get_nowait()
            except queue.Empty:
                return
            if blow.variant not in expected:
                expected[blow.variant] = unharmed(Bench.set_up(folder / blow.variant, server), blow.variant)
            place = folder / str(blow.seed)
            outcomes.append(play(Bench.set_up(place, server), blow, expected[blow.variant]))
            print(_line(outcomes[-1], expected[blow.variant]), flush=True)
            if not outcomes[-1].wrong:
                shutil.rmtree(place, ignore_errors=True)
    finally:
        server.end()


def _line(outcome: Outcome, expected: Unharmed) -> str:
    blow = outcome.blow
    when = f"{blow.share * expected.seconds:5.1f} of {expected.seconds:4.1f} s"
    verdict = "; ".join(outcome.wrong) or f"the same digest, {outcome.reused} pieces reused"
    return f"| {blow.seed:2d} | {blow.kind:8s} | {blow.variant:7s} | {when} | {outcome.first:24s} | {verdict} |"


if __name__ == "__main__":
    main()
