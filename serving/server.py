"""The endpoint from its start to its end, in one process or in several."""

from __future__ import annotations

import logging
import socket

from serving.config import ServeConfig
from serving.guard.gate import check_door
from serving.heap import bound_heap
from serving.transports.sockets import bound
from serving.transports.tls import Certificates
from serving.transports.workers import Worker, supervise
from serving.watch.access_log import ignore_hangup


def log_to_stderr() -> None:
    """Let the endpoint's log lines appear, from INFO on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def serve(config: ServeConfig) -> None:
    """Serve until the process is told to stop; what was asked by then is answered first.

    Args:
        config: What to serve and where.

    Raises:
        OSError: The address cannot be listened on.
        CertificateError: The certificate or its key cannot be used.
        KeyFileError: The key file cannot be read.
        WorkerRefusedError: A worker process cannot do what the config asks for.
        WorkersFailedError: Worker processes end at once, again and again.
    """
    # Bound alone at first, even for several workers: only so is a port that others share found to be taken.
    with bound(config.host, config.port) as listening:
        url = _url(config, listening)

        def say(models: str) -> None:
            print(f"headrace serving: {url}  models: {models}", flush=True)

        check_door(config.host, config.keys)
        ignore_hangup(config.log)
        if config.tls is not None:
            Certificates(config.tls)
        if config.workers > 1:
            port = listening.getsockname()[1]
            listening.close()
            supervise(config, port, say)
        else:
            bound_heap()
            # The supervisor of worker processes needs none of this, and stays small without it.
            from serving.process import run  # noqa: PLC0415

            run(config, listening, Worker(), say)


def _url(config: ServeConfig, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    at = f"[{host}]" if ":" in host else host
    return f"{'http' if config.tls is None else 'https'}://{at}:{port}"
