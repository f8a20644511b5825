"""A model's way from the wire to the feed and back, without a server around it."""

from __future__ import annotations

from dataclasses import dataclass

from serving.bundle.manifest import BundleManifest
from serving.models.loaded import LoadedModel
from serving.protocol.answer import Answer, encode
from serving.protocol.documents import parse_document
from serving.protocol.reader import RequestReader
from serving.records.tensors import Feed, Tensors


@dataclass(frozen=True)
class Decoded:
    """A request and the tensors that it becomes."""

    id: str | None
    rows: int
    outputs: tuple[str, ...]
    feed: Feed


class Decoder:
    """Reads requests and makes their tensors."""

    def __init__(self, manifest: BundleManifest, max_batch: int) -> None:
        self._reader = RequestReader(manifest, max_batch)
        self._tensors = Tensors(manifest)

    def decode(self, body: bytes) -> Decoded:
        """Return the decoded request, or raise why it is refused."""
        request = self._reader.read(parse_document(body))
        feed = self._tensors.feed(request)
        return Decoded(request.id, request.rows, tuple(asked.name for asked in request.outputs), feed)


def answered(model: LoadedModel, body: bytes) -> bytes:
    """Return a model's answer to one request, or raise why there is none."""
    request = model.reader.read(parse_document(body))
    (outcome,) = model.predict([request])
    if not isinstance(outcome, Answer):
        raise outcome
    return encode(request, outcome).body
