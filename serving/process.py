"""One process of the endpoint: the service behind its transports, on uvloop, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvloop

from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.listener import Listener
from serving.transports.tls import Certificates
from serving.transports.workers import Worker

if TYPE_CHECKING:
    from serving.transports.grpc.server import GrpcServer

# A collection looks at what was made since the last one. A request, answered or refused, leaves no cycles behind, and
# a call of gRPC five small objects of that library's own, so few are needed.
_COLLECT_AFTER = 20_000
_OTHER_FILES = 256
_LAST_SECONDS = 0.1


def run(config: ServeConfig, listening: socket.socket, worker: Worker, say: Callable[[str], None]) -> None:
    """Serve on a socket that is bound.

    Args:
        config: What to serve.
        listening: Where.
        worker: Which of the endpoint's processes this is.
        say: Called once, when requests are taken, with the names of the models.
    """
    _allow_files(config.transport.max_connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(config, listening, worker, say))
    _leave_threads()


def _leave_threads() -> None:
    """End the process at once where a thread still runs what nobody waits for; the interpreter would wait for it."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(_LAST_SECONDS)
            if thread.is_alive():
                logging.shutdown()
                sys.stdout.flush()
                os._exit(0)


def _allow_files(connections: int) -> None:
    """Raise the process's limit of open files, often 1,024, as far as the connections need it and the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Twice, since connections beyond the limit are told so; and some for everything else.
    wanted = 2 * connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


async def _run(config: ServeConfig, listening: socket.socket, worker: Worker, say: Callable[[str], None]) -> None:
    stop = _stop_signal()
    if worker.channel is not None:
        asyncio.get_running_loop().add_reader(worker.channel, stop.set)
    stopping = asyncio.create_task(stop.wait())
    service = Service(config, worker=worker)
    if not await _started(service, stopping):
        return
    listener = Listener(service, config.transport)
    certificates = Certificates(config.tls) if config.tls is not None else None
    await listener.listen(listening, certificates.context if certificates is not None else None)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    say(", ".join(f"{model.name} (version {model.version})" for model in service.served.loaded.values()) or "none yet")
    grpc = await _grpc(service, config)
    following = asyncio.create_task(certificates.follow()) if certificates is not None else None
    await stopping
    service.draining = True
    await asyncio.sleep(config.transport.notice_seconds)
    draining = [listener.drain()]
    if grpc is not None:
        draining.append(grpc.stop(config.transport.drain_seconds))
    await asyncio.gather(*draining)
    if following is not None:
        following.cancel()
    # What still runs was given up: nobody waits for its answer, and its threads are about to end.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await service.stop()


async def _started(service: Service, stopping: asyncio.Task[Any]) -> bool:
    """Start a service, unless the process is told to stop before it has loaded its models, however long that takes."""
    starting = asyncio.create_task(service.start())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        return True
    starting.cancel()
    await service.stop()
    return False


async def _grpc(service: Service, config: ServeConfig) -> GrpcServer | None:
    """Start the gRPC server where the config has one; its library is loaded only then."""
    if config.grpc is None:
        return None
    from serving.transports.grpc.server import GrpcServer  # noqa: PLC0415

    server = GrpcServer(service, config)
    print(f"headrace serving gRPC: {await server.start()}", flush=True)
    return server


def _stop_signal() -> asyncio.Event:
    """Return an event that the first signal to stop sets; the second ends the process."""
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop
