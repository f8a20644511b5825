"""One process of a training on several devices: `python -m tasks.training.rank JOB [--node N]`.

`tasks.training.ranks` starts it for every device of its machine. On another machine, `--node N` starts those of that
machine; under a launcher that sets torchrun's variables (`RANK`, `LOCAL_RANK`, `WORLD_SIZE`, `GROUP_RANK` or
`NODE_RANK`, `MASTER_ADDR`, `MASTER_PORT`), each process is one rank.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from tasks.children import end_with_input


def main() -> None:
    """Run one rank, or those of one machine."""
    parser = argparse.ArgumentParser(prog="python -m tasks.training.rank", description=__doc__)
    parser.add_argument("job", help="the file that the first machine's log names")
    parser.add_argument("--node", type=int, help="start the ranks of this machine, which has this number, from 1")
    parser.add_argument("--watched", action="store_true", help="end when standard input ends")
    asked = parser.parse_args()
    if asked.watched:
        end_with_input()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        if asked.node is None:
            _run_rank(asked.job)
        else:
            _run_machine(asked.job, asked.node)
    except Exception as error:  # noqa: BLE001
        # Leaving in the usual way would wait for ranks that wait for this one.
        _say_error(error)
        sys.stdout.flush()
        os._exit(1)


def _run_rank(job_file: str) -> None:
    # Imported once the process watches its input: this takes seconds.
    import torch  # noqa: PLC0415

    from tasks.progress import listening, reading  # noqa: PLC0415
    from tasks.storage import place  # noqa: PLC0415
    from tasks.training.batches import Share  # noqa: PLC0415
    from tasks.training.job_file import read_job  # noqa: PLC0415
    from tasks.training.machine import require_world  # noqa: PLC0415
    from tasks.training.train_network import train_share  # noqa: PLC0415

    job = read_job(place(job_file))
    rank = int(os.environ["RANK"])
    require_world(job.config.machine, int(os.environ["WORLD_SIZE"]))
    if job.config.machine.device() == "cuda":
        # Whatever names no GPU, such as the augmentation of images, uses this rank's.
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    with ExitStack() as stack:
        if rank == 0:
            stack.enter_context(listening(_progress))
            stack.enter_context(reading(lambda label, values: _say({"measured": [label, dict(values)]})))
        checkpoint = train_share(job, Share(rank, job.config.machine.processes))
    if checkpoint is not None:
        _say({"checkpoint": checkpoint.model_dump(mode="json")})


def _run_machine(job_file: str, node: int) -> None:
    from tasks.errors import ConfigError  # noqa: PLC0415
    from tasks.storage import place  # noqa: PLC0415
    from tasks.training.job_file import read_job  # noqa: PLC0415
    from tasks.training.ranks import run_node  # noqa: PLC0415

    path = place(job_file)
    machine = read_job(path).config.machine
    if not 1 <= node < machine.num_nodes:
        raise ConfigError(
            f"--node {node}: the training has {machine.num_nodes} machines, of which the run itself starts number 0\n"
            f"  do: give each other machine a number from 1 to {machine.num_nodes - 1}"
        )
    run_node(path, machine, node, lambda event: None)  # noqa: ARG005


@contextmanager
def _progress(label: str, total: int, unit: str) -> Iterator[Callable[..., None]]:  # noqa: ARG001
    def advance(amount: int = 1) -> None:
        _say({"advance": amount})

    yield advance


def _say_error(error: Exception) -> None:
    from tasks.errors import __name__ as ours  # noqa: PLC0415

    if type(error).__module__ == ours:
        _say({"error": {"type": type(error).__name__, "message": str(error)}})
    traceback.print_exception(error, file=sys.stdout)


def _say(event: Mapping[str, Any]) -> None:
    from tasks.training.ranks import EVENT  # noqa: PLC0415

    print(f"{EVENT}{json.dumps(event)}", flush=True)


if __name__ == "__main__":
    main()
