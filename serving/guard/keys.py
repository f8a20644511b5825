"""Who may ask for what: API keys, followed in their file while the endpoint runs."""

from __future__ import annotations

import hmac
import logging
import os
import time
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from serving.guard.key_file import ANY_MODEL, PREFIX, Action, KeyEntry, KeyFileError, hash_of, read_keys
from serving.guard.refusals import ForbiddenError, UnauthorizedError

logger = logging.getLogger(__name__)

# A key may be written in several ways (`bearer`, `Bearer`), of which a client could make up many.
_MOST_REMEMBERED = 4096
_LONGEST = 256
_NO_HASH = "0" * 64


class KeysConfig(BaseModel):
    """The section `keys`.

    Attributes:
        file: The file that `headrace keys` writes; without one, nobody needs a key.
        poll_seconds: How often the file is looked at for changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    file: Path | None = None
    poll_seconds: float = Field(default=1.0, gt=0)


class Caller(NamedTuple):
    """Who a valid key belongs to.

    Attributes:
        id: The key's.
        may: What it may be used for.
        models: The models that it counts for; None for all.
        expires: Seconds since 1970; None where it does not.
    """

    id: str
    may: frozenset[Action]
    models: frozenset[str] | None
    expires: float | None


class KeyRing:
    """The keys of a file. A change to the file counts at the first request after `poll_seconds`.

    A file that becomes unreadable changes nothing: the keys stay as they were, and it is logged once. One that is
    unreadable from the start lets nobody in until it is mended: a worker process that is started again meanwhile must
    not bring the others down.

    Args:
        path: The key file.
        poll_seconds: How often it is looked at.
    """

    def __init__(self, path: Path, poll_seconds: float = 1.0) -> None:
        self._path = path
        self._poll_seconds = poll_seconds
        self._look_at = 0.0
        self._stamp: tuple[int, ...] | None = ()
        self._keys: dict[str, KeyEntry] = {}
        # Only keys that proved valid stand here, whole. Finding one compares hashes salted for this process before it
        # compares bytes, so the time that a wrong key takes says nothing about a right one.
        self._proven: dict[bytes, Caller] = {}
        self._follow()

    def check(self, presented: bytes | None, action: Action, model: str, now: float) -> Caller:
        """Say who asks, if they may; for any protocol.

        Args:
            presented: The value of the header (or gRPC metadata) `authorization` or `x-api-key`; None for none.
            action: What is asked for.
            model: The model that is asked; empty where it is about none.
            now: `time.perf_counter()`.

        Raises:
            UnauthorizedError: There is no key, or it is unknown, revoked or expired.
            ForbiddenError: The key does not count for this.
        """
        if now >= self._look_at:
            self._look_at = now + self._poll_seconds
            self._follow()
        caller = self._proven.get(presented) if presented else None
        if caller is None:
            caller = self._prove(presented)
        if caller.expires is not None and time.time() >= caller.expires:
            raise UnauthorizedError(f"the API key {caller.id!r} has expired", presented=True)
        if action not in caller.may or (model and caller.models is not None and model not in caller.models):
            about = f" about model {model!r:.120}" if model else ""
            raise ForbiddenError(f"the API key {caller.id!r} may not {action}{about}")
        return caller

    def _prove(self, presented: bytes | None) -> Caller:
        if not presented:
            raise UnauthorizedError("an API key is needed", presented=False)
        name, secret = _parts(presented)
        entry = self._keys.get(name)
        # An unknown name takes as long as a wrong secret.
        same = hmac.compare_digest(hash_of(secret), entry.sha256 if entry else _NO_HASH)
        if entry is None or not same:
            raise UnauthorizedError("the API key is not valid", presented=True)
        caller = Caller(
            entry.id,
            frozenset(entry.may),
            None if ANY_MODEL in entry.scopes else frozenset(entry.scopes),
            entry.expires.timestamp() if entry.expires else None,
        )
        if len(self._proven) >= _MOST_REMEMBERED:
            self._proven.clear()
        self._proven[presented] = caller
        return caller

    def _follow(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            keys = read_keys(self._path)
        except KeyFileError as error:
            # The message says it all.
            logger.error("the API keys stay as they were, %s: %s", self._names(), error)  # noqa: TRY400
            return
        self._keys = {key.id: key for key in keys}
        self._proven.clear()
        logger.info("API keys: %s", self._names())

    def _names(self) -> str:
        return ", ".join(self._keys) or "none, so nobody is let in"


def _parts(presented: bytes) -> tuple[str, str]:
    """Return a key's id and its secret; empty where it is not written like a key."""
    text = presented[:_LONGEST].decode("latin-1").strip()
    scheme, _, rest = text.partition(" ")
    if scheme.lower() == "bearer":
        text = rest.strip()
    prefix, _, rest = text.partition("_")
    name, _, secret = rest.partition("_")
    return (name, secret) if prefix == PREFIX else ("", "")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever the file is written or replaced, or None where it cannot be seen."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a third of the time that `Path.stat` takes
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
