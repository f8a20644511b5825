"""Refuse calls in a process of its own, and print the answers' codes and what the calls left in cycles.

Another protocol buffer library's messages of the same names, those of a client, cannot be in the same process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

import grpc

from serving.config import ServeConfig
from serving.service.service import Service
from serving.transports.grpc import inference_pb2 as messages
from serving.transports.grpc.config import GrpcConfig
from serving.transports.grpc.server import GrpcServer
from tests.serving.cycles import left_in_cycles

_CALLS = (
    ("ModelInfer", b"no message"),
    ("ModelInfer", messages.ModelInferRequest(model_name="other").SerializeToString()),
    ("ModelInfer", messages.ModelInferRequest(model_name="small").SerializeToString()),
    ("ModelMetadata", messages.ModelMetadataRequest(name="other").SerializeToString()),
)


async def _codes(root: Path) -> list[str]:
    service = Service(ServeConfig(store=root, grpc=GrpcConfig(port=0)))
    await service.start()
    server = GrpcServer(service, service.config)
    codes = []
    async with grpc.aio.insecure_channel(await server.start()) as channel:
        for method, content in _CALLS:
            try:
                await channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(content, timeout=20)
            except grpc.aio.AioRpcError as error:
                codes.append(error.code().name)
    await server.stop(0)
    await service.stop()
    return codes


if __name__ == "__main__":
    with left_in_cycles() as left:
        codes = asyncio.run(_codes(Path(sys.argv[1])))
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        contexts = sum(type(each).__name__ == "_ServicerContext" for each in gc.garbage)
    print(json.dumps([codes, left, contexts]))
