"""Many connections at once to a running endpoint, cheap enough for thousands of requests in a test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson


class Reply(NamedTuple):
    """What came back for the request of that number."""

    number: int
    status: int
    document: Any


async def hammer(
    url: str, path: str, connections: int, body: Callable[[int], Any], more: Callable[[], bool]
) -> list[Reply]:
    """Ask on many connections at once, each without a pause, for as long as more are wanted.

    Args:
        url: The endpoint's.
        path: Of the requests.
        connections: How many.
        body: Gives the JSON of the request of a number; they count from 0.
        more: Whether to send another one.

    Returns:
        Every reply, in the order they came.
    """
    address = urlsplit(url)
    place = (str(address.hostname), int(address.port or 80))
    replies: list[Reply] = []
    numbers = count()
    await asyncio.gather(*(_connection(place, path, _asked(numbers, body, more), replies) for _ in range(connections)))
    return replies


def _asked(numbers: Iterator[int], body: Callable[[int], Any], more: Callable[[], bool]) -> Iterator[tuple[int, bytes]]:
    while more():
        number = next(numbers)
        yield number, orjson.dumps(body(number))


async def _connection(
    place: tuple[str, int], path: str, asked: Iterator[tuple[int, bytes]], replies: list[Reply]
) -> None:
    reader, writer = await asyncio.open_connection(*place)
    head = f"POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: "
    for number, content in asked:
        writer.write(f"{head}{len(content)}\r\n\r\n".encode() + content)
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
        document = orjson.loads(await reader.readexactly(length))
        replies.append(Reply(number, int(lines[0].split()[1]), document))
    writer.close()
