"""Places: folders of this machine, and object stores behind the same interface (ADR 6).

`place` turns a path or a URI into one or the other. What is local stays a plain `pathlib.Path`, so it costs nothing.
"""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from pathlib import Path, PosixPath
from typing import IO, Any

from serving.bundle.errors import RemoteAccessError, naming_refusal

# What is held of an object while it is streamed, in either direction; S3 takes no part of an upload below 5 MiB.
_BLOCK = 8 << 20


def place(uri: str | Path) -> Path:
    """Return where a path or a URI points.

    Args:
        uri: `folder/file`, `file:///folder/file`, or a URI of any filesystem that fsspec knows, such as
            `s3://bucket/prefix`.
    """
    if isinstance(uri, RemotePath):
        return uri
    scheme, found, rest = str(uri).partition("://")
    if not found:
        return Path(uri)
    return Path(rest) if scheme in {"file", "local"} else RemotePath(uri)


def is_remote(path: str | Path) -> bool:
    """Say whether a path or a URI leads to an object store."""
    return isinstance(path if isinstance(path, Path) else place(path), RemotePath)


class RemotePath(PosixPath):
    """A place in an object store, with the part of `pathlib.Path`'s interface that needs no local disk.

    An object appears whole or not at all, and folders are only the beginnings of names. Whatever is not defined here
    would reach for the local disk; `__fspath__` refuses, so that it fails at once and says where.

    Every method that asks the store raises `RemoteError` (by `naming_refusal`) where the store refuses or does not
    answer.
    """

    def __str__(self) -> str:
        text = super().__str__()
        scheme, found, rest = text.partition(":/")
        return f"{scheme}://{rest}" if found and "/" not in scheme else text

    def __fspath__(self) -> str:
        raise TypeError(f"{self} is in an object store, and this needs a file on the local disk")

    def as_uri(self) -> str:
        """Return the URI."""
        return str(self)

    def is_absolute(self) -> bool:
        """Return True: a URI says everything."""
        return True

    def absolute(self) -> RemotePath:
        """Return the same place."""
        return self

    @property
    def store(self) -> Any:
        """The fsspec filesystem, one for each thread of each process; it remembers no listing, which may be old.

        Raises:
            RemoteAccessError: Its library is not installed, or no filesystem goes by that scheme.
        """
        # Only who names a remote place needs these libraries, and the endpoint must install and start without them.
        try:
            import fsspec  # noqa: PLC0415

            return fsspec.filesystem(self.parts[0].removesuffix(":"), use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise RemoteAccessError(
                f"{self}: cannot be reached from this installation: {error}\n"
                "  do: for s3:// install the extra, `pip install 'headrace[s3]'`; for others fsspec's own library"
            ) from error

    def describe(self) -> dict[str, Any]:
        """Return what the store says of an object or of a beginning of names, such as `type`, `size` and `ETag`.

        Raises:
            FileNotFoundError: There is neither.
        """
        with naming_refusal(self):
            return dict(self.store.info(str(self)))

    def fingerprint(self) -> str:
        """Return what changes whenever the object is written, however soon again.

        Raises:
            FileNotFoundError: There is no such object.
        """
        return repr(sorted((key, str(value)) for key, value in self.describe().items()))

    def exists(self) -> bool:
        """Say whether there is an object of this name, or one below it."""
        return self._kind() is not None

    def is_file(self) -> bool:
        """Say whether there is an object of this name."""
        return self._kind() == "file"

    def is_dir(self) -> bool:
        """Say whether there is an object below this name."""
        return self._kind() == "directory"

    def _kind(self) -> str | None:
        try:
            return str(self.describe()["type"])
        except FileNotFoundError:
            return None

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002
        """Return the size; nothing else is filled in."""
        return os.stat_result((0, 0, 0, 0, 0, 0, int(self.describe()["size"] or 0), 0, 0, 0))

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Do nothing: folders need not be made."""

    def iterdir(self) -> Generator[RemotePath, None, None]:
        """Yield what is directly below, in the order of names; nothing where there is nothing."""
        yield from self._found(self, self.store.ls, detail=False)

    def folders(self) -> list[str]:
        """Return the names of what holds objects directly below, by one listing."""
        try:
            with naming_refusal(self):
                found = self.store.ls(str(self), detail=True)
        except FileNotFoundError:
            return []
        return [each["name"].rstrip("/").rpartition("/")[2] for each in found if each["type"] == "directory"]

    def glob(self, pattern: str) -> Generator[RemotePath, None, None]:
        """Yield the objects that match, in the order of names."""
        yield from self._found(self / pattern, self.store.glob)

    def rglob(self, pattern: str) -> Generator[RemotePath, None, None]:
        """Yield the objects anywhere below whose last part matches, in the order of names."""
        yield from (path for path in self._found(self, self.store.find) if path.match(pattern))

    @staticmethod
    def _found(where: RemotePath, search: Any, **options: Any) -> list[RemotePath]:
        try:
            with naming_refusal(where):
                names = search(str(where), **options)
        except FileNotFoundError:
            return []
        return sorted(RemotePath(where.store.unstrip_protocol(name)) for name in names)

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,  # noqa: ARG002
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Open an object for streaming; what is written appears when the file is closed."""
        with naming_refusal(self):
            file = self.store.open(str(self), f"{mode.replace('b', '').replace('t', '')}b", block_size=_BLOCK)
        stream = RemoteFile(self, file)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding, errors, newline)  # type: ignore[return-value, type-var]

    def open_parts(self) -> RemoteFile:
        """Open an object for reading pieces here and there: each read asks for its bytes and no more."""
        with naming_refusal(self):
            return RemoteFile(self, self.store.open(str(self), "rb", cache_type="none"))

    def read_bytes(self) -> bytes:
        """Return an object's bytes."""
        with naming_refusal(self):
            return bytes(self.store.cat_file(str(self)))

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return an object's text, UTF-8 unless said otherwise."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def write_bytes(self, data: Any) -> int:
        """Replace an object in one step: a reader gets the old bytes or the new."""
        with naming_refusal(self):
            self.store.pipe_file(str(self), bytes(data))
        return len(data)

    def write_text(  # type: ignore[override]
        self, data: str, encoding: str | None = None, errors: str | None = None
    ) -> int:
        """Replace an object by a text, UTF-8 unless said otherwise."""
        return self.write_bytes(data.encode(encoding or "utf-8", errors or "strict"))

    def copy_to(self, target: RemotePath) -> None:
        """Let the store copy an object to another place in it; its bytes do not travel."""
        with naming_refusal(self):
            self.store.cp_file(str(self), str(target))

    def claim(self, content: bytes) -> bytes:
        """Write an object unless there is one already, and return what stands there: of many writers one wins."""
        try:
            with naming_refusal(self):
                self.store.pipe_file(str(self), content, mode="create")
        except FileExistsError:
            return self.read_bytes()
        return content

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Remove an object."""
        try:
            with naming_refusal(self):
                self.store.rm_file(str(self))
        except FileNotFoundError:
            if not missing_ok:
                raise

    def remove(self) -> None:
        """Remove an object, or every object below; nothing happens where there is none."""
        try:
            with naming_refusal(self):
                self.store.rm(str(self), recursive=True)
        except FileNotFoundError:
            return


class RemoteFile(io.RawIOBase):
    """An open object whose refusals and failures have names, whoever reads or writes it."""

    def __init__(self, path: RemotePath, file: IO[bytes]) -> None:
        super().__init__()
        self._path = path
        self._file = file

    def readable(self) -> bool:
        """Say whether it was opened for reading."""
        return self._file.readable()

    def writable(self) -> bool:
        """Say whether it was opened for writing."""
        return self._file.writable()

    def seekable(self) -> bool:
        """Say whether its position can be set."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; only the object's end leaves some of it as it was."""
        with naming_refusal(self._path):
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def write(self, data: Any) -> int:
        """Take bytes; they are sent in blocks."""
        with naming_refusal(self._path):
            return self._file.write(bytes(data))

    def close(self) -> None:
        """Send what is left; only now does a written object appear."""
        if not self.closed:
            try:
                with naming_refusal(self._path):
                    self._file.close()
            finally:
                super().close()
