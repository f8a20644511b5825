"""The endpoint's process: the application under uvicorn, on httptools and uvloop, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import socket
from types import FrameType

import uvicorn

from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.asgi import App

_GRACE_SECONDS = 10


class _Server(uvicorn.Server):
    """Says where it listens and what it serves as soon as it does."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then print the one line that others wait for."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            loaded = self._service.served.loaded.values()
            models = ", ".join(f"{model.name} (version {model.version})" for model in loaded) or "none yet"
            at = f"[{host}]" if ":" in host else host
            print(f"headrace serving: http://{at}:{port}  models: {models}", flush=True)


def serve(config: ServeConfig) -> None:
    """Serve until the process is told to stop; requests that are being answered are answered first.

    Args:
        config: What to serve and where.

    Raises:
        OSError: The address cannot be listened on.
    """
    service = Service(config)
    settings = uvicorn.Config(
        App(service),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((config.host, config.port))
        # uvicorn raises the signal again once it has stopped; the process should then end well, not by the signal.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _already_stopped)
        _Server(settings, service).run(sockets=[listener])


def _already_stopped(_number: int, _frame: FrameType | None) -> None:
    return
