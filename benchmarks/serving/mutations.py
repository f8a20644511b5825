"""Requests that are wrong somewhere: valid ones changed in their structure or in their bytes, by a seeded choice."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from benchmarks.serving import hostile_model, model
from serving.transports.grpc import inference_pb2 as messages

# Written into the JSON as they stand, which `json.dumps` would not do.
_LITERALS = (
    *("null", "true", "[]", "{}", "0", "-0.0", "1e400", "-1e400", "NaN", "Infinity", '""', '"\\ud800"', '"\\u0000"'),
    *("9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 400, "0.1", "1.5", "-1", "01"),
    *('"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59.999999-23:59"', '"2013-03-10T02:30:00"', '"2013-02-30"'),
    *('"nan"', '"-inf"', '"1,000.5"', '"oui"', '"' + "9" * 5000 + '"', '"N' + "0" * 60 + '!"', "[null]", "[[1]]"),
    *("[" * 260 + "]" * 260, "[" * 2000 + "]" * 2000, '{"a":' * 300 + "1" + "}" * 300, "[1,2,3]", '{"a":1,"a":2}'),
)
_NAMES = ("name", "datatype", "shape", "data", "parameters", "inputs", "outputs", "id", "__proto__", "binary_data_size")
_DATATYPES = ("BOOL", "UINT8", "UINT64", "INT8", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES", "BF16", "", "fp64")
_SIZES = (0, 1, 2, -1, 2**31, 2**63 - 1, 2**63, 16_384, 16_385)
_PATHS = (
    *(
        "/",
        "/v2",
        "//v2",
        "/v2/",
        "/v2/models",
        "/v2/models/",
        "/v2/models/%2e%2e/infer",
        "/v2/models/../../etc/passwd",
    ),
    *("/v2/models/columns", "/v2/models/columns/versions/1/infer", "/v2/models/columns/versions/..%2f1/infer", "/%00"),
    *("/v2/models/%ff%fe/infer", "/v2/models/columns%2Finfer", "/v1/models/columns:predict", "/v1/models/:predict"),
    *("/metrics", "/v1/stats", "/openapi.json", "*", "http://x/v2", "http://[", "/v2/health/live?" + "q" * 5000, "/%"),
    *("/" + "a" * 9000, "/v2/models/" + "m" * 4000 + "/infer", "/v2/models/c\xf6l/infer", "/page/..%2fassets.py"),
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "get", "G T", "")
_HEADERS = (
    *(b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length : 3"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: xchunked", b"X: a\n b"),
    *(b"Content-Encoding: gzip", b"Expect: 100-continue", b"Expect: x", b"Connection: close", b"Connection: upgrade"),
    *(b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk", b"Host: y", b"X-Nul: \0", b"X-API-Key: \xff\xfe", b": empty", b"a"),
    *(b"Inference-Header-Content-Length: 5", b"Inference-Header-Content-Length: -1", b"X: " + b"h" * 70_000),
    *(b"\r\n".join(b"X-%d: 1" % number for number in range(150)), b"traceparent: 00-0-0-01", b"Trailer: X", b"X:\x01"),
)
_CHUNKS = (
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"-1\r\n",
    b"5;x=y\r\nhello\r\n",
    b"g\r\n",
)
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "BYTES": ("bytes_contents", lambda value: str(value).encode()),
    "FP64": ("fp64_contents", float),
    "FP32": ("fp32_contents", float),
    "INT64": ("int64_contents", int),
    "BOOL": ("bool_contents", bool),
}


class Framed(NamedTuple):
    """A request whose HTTP is right, so that one answer must come over a connection that stays open or says it closes.

    Attributes:
        bodyless: Whether the answer has no body, whatever its length says.
    """

    data: bytes
    bodyless: bool = False


class Mutations:
    """Makes wrong requests; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def framed(self) -> Framed:
        """Return one whose content is wrong, or now and then right."""
        choice = self._random.random()
        if choice < 0.1:
            return self._elsewhere()
        body, extra = self._binary() if choice < 0.25 else (self._json(), b"")
        if self._random.random() < 0.3:
            body = self.bytes_of(body)
        path = b"/v1/models/columns:predict" if choice > 0.9 else b"/v2/models/%b/infer" % self._model()
        if choice > 0.9 and self._random.random() < 0.7:
            body = self._literal(json.dumps({"records": [hostile_model.USUAL | {self._column(): "@"}]}))
        head = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (path, extra, len(body))
        return Framed(head + body)

    def raw(self) -> bytes:
        """Return bytes that need not be HTTP at all."""
        random = self._random
        requests = b"".join(self.framed().data for _ in range(random.choice((1,) * 9 + (2, 2, 10))))
        choice = random.random()
        if choice < 0.4:
            return self.bytes_of(requests)
        if choice < 0.5:
            return requests[: random.randrange(len(requests))]
        if choice < 0.55:
            return b"\x16\x03\x01" + random.randbytes(300)
        method, path = random.choice(_METHODS).encode(), random.choice(_PATHS).encode("latin-1")
        headers = [b"Host: x", *random.choices(_HEADERS, k=random.randrange(4))]
        newline = random.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"))
        version = random.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b""))
        head = newline.join([b"%b %b %b" % (method, path, version), *headers]) + newline * 2
        return head + random.choice((b"", requests, *_CHUNKS))

    def grpc(self) -> tuple[str, bytes]:
        """Return a method and a message, wrong in its fields or in its bytes."""
        random = self._random
        method = random.choice(("ModelInfer",) * 12 + ("ModelReady", "ModelMetadata", "ServerLive", "ServerMetadata"))
        if method != "ModelInfer":
            return method, random.randbytes(random.randrange(20))
        message = messages.ModelInferRequest(model_name=self._model().decode(), id=random.choice(("", "i" * 1000, "7")))
        in_raw = random.random() < 0.4
        rows = random.choice((1, 1, 2, 7))
        for spec in hostile_model.INPUTS:
            entry = message.inputs.add(name=spec.name, datatype=spec.datatype, shape=[rows])
            values = [hostile_model.USUAL[spec.name]] * rows
            field, convert = _FIELDS[spec.datatype]
            if in_raw:
                message.raw_input_contents.append(_packed(spec.datatype, values))
            else:
                getattr(entry.contents, field).extend(map(convert, values))
        for _ in range(random.choice((0, 1, 1, 2))):
            self._spoil(message)
        content = message.SerializeToString()
        return method, self.bytes_of(content) if random.random() < 0.3 else content

    def bytes_of(self, data: bytes) -> bytes:
        """Return bytes with some of them changed, cut out, doubled or put in."""
        random, spoiled = self._random, bytearray(data)
        for _ in range(random.choice((1, 1, 2, 5))):
            at = random.randrange(len(spoiled) + 1)
            size = random.choice((1, 1, 4, 30))
            match random.randrange(5):
                case 0:
                    spoiled[at : at + size] = random.randbytes(size)
                case 1:
                    del spoiled[at : at + size]
                case 2:
                    spoiled[at:at] = spoiled[at : at + size]
                case 3:
                    spoiled[at:at] = random.choice((b"\0", b"\r\n", b"\n", b"\xff", b'"', b"[[[[", b"}", b",,", b"\\u"))
                case _:
                    if at < len(spoiled):
                        spoiled[at] ^= 1 << random.randrange(8)
        return bytes(spoiled)

    def _model(self) -> bytes:
        return self._random.choice((b"columns",) * 8 + (b"mlp", b"other", b"columns/versions/1", b"__proto__"))

    def _column(self) -> str:
        return self._random.choice((*hostile_model.USUAL, "other"))

    def _elsewhere(self) -> Framed:
        method = self._random.choice(("GET", "HEAD", "POST", "PUT", "DELETE"))
        path = self._random.choice([path for path in _PATHS if path.startswith("/") and path.isascii()])
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        return Framed(head.encode(), bodyless=method == "HEAD")

    def _document(self, rows: int) -> dict[str, Any]:
        if self._random.random() < 0.2:
            data = [0.5] * (rows * model.FEATURES)
            entry = {"name": "features", "datatype": "FP32", "shape": [rows, model.FEATURES], "data": data}
            return {"inputs": [entry]}
        inputs = [
            {"name": s.name, "datatype": s.datatype, "shape": [rows], "data": [hostile_model.USUAL[s.name]] * rows}
            for s in hostile_model.INPUTS
        ]
        return {"id": "7", "inputs": inputs}

    def _json(self) -> bytes:
        document = self._document(self._random.choice((1,) * 30 + (2,) * 9 + (300,)))
        if self._random.random() < 0.3:
            asked: dict[str, Any] = {"name": self._random.choice(("label", "probabilities", "other"))}
            asked["parameters"] = {"classification": self._random.choice((0, 1, 10**18, -1)), "binary_data": True}
            document["outputs"] = [asked] * self._random.choice((1,) * 12 + (2,) * 4 + (1000,))
        for _ in range(self._random.choice((0, 1, 1, 1, 3))):
            self._wrong(document)
        return self._literal(json.dumps(document))

    def _wrong(self, document: dict[str, Any]) -> None:
        """Change one thing of a request, anywhere in it."""
        random = self._random
        holder: Any = document
        while random.random() < 0.8:
            inner = [value for value in (holder.values() if isinstance(holder, dict) else holder) if value]
            inner = [value for value in inner if isinstance(value, dict | list)]
            if not inner:
                break
            holder = random.choice(inner)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = random.choice(keys)
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[random.choice(_NAMES)] = holder.pop(key)
            case 2:
                holder[key] = random.choice((*_SIZES, *_DATATYPES, 10**30, [1] * 500))
            case 3 if isinstance(holder, list):
                holder.extend(holder[:50])
            case _:
                holder[key] = "@"

    def _literal(self, text: str) -> bytes:
        first, *others = text.split('"@"')
        return "".join((first, *(f"{self._random.choice(_LITERALS)}{other}" for other in others))).encode()

    def _binary(self) -> tuple[bytes, bytes]:
        """Return a body with binary tensors and the header that says where they begin, one of them perhaps wrong."""
        random = self._random
        rows = random.choice((1, 2, 9))
        document, blobs = self._document(rows), []
        for entry in document["inputs"]:
            blob = _packed(entry["datatype"], entry.pop("data"))
            if random.random() < 0.1:
                blob = random.choice((blob[:-1], blob + b"\0", random.randbytes(len(blob)), b""))
            blobs.append(blob)
            entry["parameters"] = {"binary_data_size": len(blob) + random.choice((0,) * 30 + (1, -1, 2**40))}
        if random.random() < 0.4:
            self._wrong(document)
        head = self._literal(json.dumps(document))
        length = len(head) + random.choice((0,) * 10 + (1, -1, 10**9))
        return head + b"".join(blobs), b"Inference-Header-Content-Length: %d\r\n" % length

    def _spoil(self, message: Any) -> None:
        """Change one field of a gRPC message."""
        random = self._random
        entry = random.choice(message.inputs or [message.inputs.add()])
        size, wrong = random.choice([each for each in _SIZES if each < 2**63]), random.choice(_DATATYPES)
        changes: tuple[Callable[[], Any], ...] = (
            lambda: entry.shape.insert(0, size),
            lambda: entry.shape.__setitem__(slice(None), [size]),
            lambda: setattr(entry, "datatype", wrong),
            lambda: setattr(entry, "name", random.choice(("", "seats", "other", "\0"))),
            lambda: entry.contents.fp32_contents.extend([float("nan")] * 3),
            lambda: entry.contents.bytes_contents.append(b"\xff\xfe"),
            lambda: entry.contents.fp64_contents.append(float("inf")),
            lambda: entry.contents.int_contents.extend([2**31 - 1] * 2),
            lambda: message.raw_input_contents.append(random.randbytes(9)),
            lambda: message.inputs.add().CopyFrom(entry),
            lambda: [message.outputs.add(name="label") for _ in range(random.choice((1, 1, 2, 2, 2000)))],
            lambda: (
                message.outputs.add(name="probabilities")
                .parameters["classification"]
                .MergeFrom(messages.InferParameter(int64_param=random.choice((0, 1, -1, 2**62))))
            ),
            lambda: setattr(message, "model_version", random.choice(("1", "2", "../1", "\0"))),
            lambda: message.ClearField("inputs"),
        )
        random.choice(changes)()


def _packed(datatype: str, values: list[Any]) -> bytes:
    if datatype == "BYTES":
        texts = [str(value).encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    code = {"FP64": "d", "FP32": "f", "INT64": "q", "BOOL": "?"}[datatype]
    return struct.pack(f"<{len(values)}{code}", *values)
