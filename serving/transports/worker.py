"""One worker process; `serving.transports.workers` starts it."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from serving.bundle.errors import RemoteError
from serving.config import ServeConfig
from serving.heap import bound_heap
from serving.server import log_to_stderr
from serving.transports.workers import Worker

_USER_ERROR = 2


def main(index: int, folder: Path, listening: int, channel: int) -> int:
    """Serve until the supervisor says so, or is gone.

    Args:
        index: Which worker this is.
        folder: Shared by all of them.
        listening: The file descriptor of the bound socket.
        channel: That of the channel to the supervisor, which sends the config as one line of JSON.

    Returns:
        The exit code: 0 after a graceful stop, 2 when the config asks for something that cannot be had.
    """
    bound_heap()
    # Its libraries start threads, which must not allocate before.
    from serving.process import run  # noqa: PLC0415

    log_to_stderr()
    with socket.socket(fileno=channel) as supervisor, socket.socket(fileno=listening) as bound:
        with supervisor.makefile("rb") as lines:
            config = ServeConfig.model_validate(json.loads(lines.readline()))
        worker = Worker(index, config.workers, folder, supervisor)
        try:
            run(config, bound, worker, lambda models: supervisor.sendall(f"{models}\n".encode()))
        except (RemoteError, OSError) as error:
            print(f"worker {index}: {error}", file=sys.stderr)
            return _USER_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
