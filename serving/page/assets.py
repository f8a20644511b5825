"""The page's files, held in memory; the browser may ask nobody but this endpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from serving.errors import NotFoundError
from serving.service.exchange import Exchange, Headers, Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
# A browser may keep the files but asks each time whether they are still these.
_HEADERS: Headers = (
    (b"cache-control", b"no-cache"),
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_NOT_MODIFIED = 304


class _Asset(NamedTuple):
    body: bytes
    content_type: bytes
    tag: bytes


class Assets:
    """The files of the folder `static`, below the path `/page/`, but `index.html` at `/`."""

    def __init__(self) -> None:
        self._files = {
            f"/page/{path.name}": _asset(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES
        }
        self._files["/"] = self._files.pop("/page/index.html")

    def answer(self, exchange: Exchange) -> Response:
        """Return a file, or that the one that the browser has is still the same.

        Raises:
            NotFoundError: There is no such file.
        """
        found = self._files.get(exchange.path)
        if found is None:
            raise NotFoundError(f"no such path {exchange.path!r:.200}")
        status = _NOT_MODIFIED if found.tag in (exchange.header(b"if-none-match") or b"") else 200
        return Response(status, found.body, found.content_type, (*_HEADERS, (b"etag", found.tag)))


def _asset(path: Path) -> _Asset:
    body = path.read_bytes()
    return _Asset(body, _TYPES[path.suffix], b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode())
