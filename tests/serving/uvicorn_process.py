"""`python -m tests.serving.uvicorn_process --store FOLDER`: the ASGI application under uvicorn, on a free port."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import uvicorn

from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.asgi import App


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        print(f"headrace serving: http://127.0.0.1:{sockets[0].getsockname()[1]}  models: any", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path)
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    app = App(Service(ServeConfig(store=given.store)))
    with socket.create_server(("127.0.0.1", given.port)) as listening:
        _Server(uvicorn.Config(app, log_level="warning", ws="none")).run([listening])
