"""The file of API keys: what stands in it, and how it is written."""

from __future__ import annotations

import hashlib
import os
import secrets
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from serving.bundle.writing import locked, sync
from serving.config_file import ConfigError, nearest

Action = Literal["predict", "describe", "metrics"]
ANY_MODEL = "*"
PREFIX = "hr"
_SECRET_BYTES = 32
_PRIVATE = 0o600

_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
_Scope = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9_-]*)$")]


class KeyFileError(ConfigError):
    """The key file cannot be read, or what is asked of it cannot be done."""


class KeyEntry(BaseModel):
    """One key.

    The secret has 256 bits from the machine's random source, so its SHA-256 cannot be guessed back; a slow hash helps
    only where secrets can be guessed.

    Attributes:
        id: Its name, part of the key that clients send.
        sha256: Of the secret's text, in hex.
        scopes: The models that it counts for; `*` for all.
        may: What it may be used for.
        expires: From this moment on it counts no longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Id
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[_Scope, ...] = Field(min_length=1)
    may: tuple[Action, ...] = Field(min_length=1)
    created: AwareDatetime
    expires: AwareDatetime | None = None


class KeyFile(BaseModel):
    """All keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[KeyEntry, ...]


def hash_of(secret: str) -> str:
    """Return what the file keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_keys(path: Path) -> tuple[KeyEntry, ...]:
    """Read a key file.

    Raises:
        KeyFileError: It is missing, or is no key file.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise KeyFileError(
            f"keys.file: {path}: no such file\n  do: make it with `headrace keys add NAME --file {path}`"
        ) from error
    except OSError as error:
        raise KeyFileError(f"keys.file: {path}: cannot be read: {error}\n  do: give another file") from error
    try:
        keys = KeyFile.model_validate_json(content).keys
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "the whole"
        raise KeyFileError(
            f"keys.file: {path}: {place}: {problem['msg']}\n  do: mend it, or make a new one with `headrace keys add`"
        ) from error
    twice = {key.id for number, key in enumerate(keys) if key.id in {other.id for other in keys[:number]}}
    if twice:
        raise KeyFileError(f"keys.file: {path}: key {min(twice)!r} stands there twice\n  do: remove one of the two")
    return keys


def add_key(
    path: Path, name: str, scopes: Sequence[str], may: Sequence[Action], expires: datetime | None = None
) -> str:
    """Add a new key to a file, which is made where there is none.

    Returns:
        The key as clients send it. Nobody can find it out again.

    Raises:
        KeyFileError: The file cannot be read, has a key of that name, or a name is no valid one.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    try:
        entry = KeyEntry(
            id=name,
            sha256=hash_of(secret),
            scopes=tuple(scopes),
            may=tuple(may),
            created=datetime.now(UTC).replace(microsecond=0),
            expires=expires,
        )
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise KeyFileError(
            f"{problem['loc'][0]}: expected lower-case letters, digits and `-`, got {problem['input']!r:.80}\n"
            "  do: give another name"
        ) from error

    def added(keys: Sequence[KeyEntry]) -> Sequence[KeyEntry]:
        if name in {key.id for key in keys}:
            raise KeyFileError(
                f"{path}: there is a key {name!r} already\n"
                f"  do: to rotate it, add another such as `{name}-2`, and revoke {name!r} once no client uses it"
            )
        return [*keys, entry]

    _rewrite(path, added)
    return f"{PREFIX}_{name}_{secret}"


def revoke_key(path: Path, name: str) -> None:
    """Remove a key from a file.

    Raises:
        KeyFileError: The file cannot be read, or has no such key.
    """

    def left(keys: Sequence[KeyEntry]) -> Sequence[KeyEntry]:
        kept = [key for key in keys if key.id != name]
        if len(kept) == len(keys):
            raise KeyFileError(f"{path}: no key {name!r}; {_hint(name, [key.id for key in keys])}")
        return kept

    read_keys(path)
    _rewrite(path, left)


def _hint(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"\n  do: did you mean {close!r}?" if close else f"its keys: {', '.join(known) or 'none'}"


def _rewrite(path: Path, change: Callable[[Sequence[KeyEntry]], Sequence[KeyEntry]]) -> None:
    """Read, change and write the file while nobody else does; a reader sees the old keys or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        keys = change(read_keys(path) if path.exists() else ())
        content = KeyFile(keys=tuple(keys)).model_dump_json(indent=1, exclude_none=True) + "\n"
        new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        sync(path.parent)
