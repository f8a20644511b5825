"""Errors about stored bundles; `tasks` and the endpoint meet the same ones."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_BUCKET = "create the bucket, or mend the name; HEADRACE_HOME and `source.path` are what names one"
_RIGHTS = (
    "let these credentials read, write, list and delete below that place (s3:GetObject, s3:PutObject, s3:DeleteObject, "
    "s3:ListBucket), or take others: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
)
_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, here and on every Dask worker, or give the "
    "machine a role"
)
_REACH = (
    "see that the network and the store are up and that AWS_ENDPOINT_URL and AWS_DEFAULT_REGION name it (Amazon's own "
    "store needs no AWS_ENDPOINT_URL), then run again; what is finished is reused"
)


class BundleError(ValueError):
    """A bundle is missing, torn, altered, or holds a graph that the endpoint refuses to run."""

    @classmethod
    def at(cls, path: Path, what: str, *, do: str = "export and register the bundle again") -> BundleError:
        """Say what is wrong with one file of a bundle.

        Args:
            path: The file or folder.
            what: What is wrong: expected and got.
            do: What the reader should do next.
        """
        return cls(f"{path}: {what}\n  do: {do}")


class StoreError(ValueError):
    """The model store cannot do what was asked: a bad name, an unknown model or version, a corrupt pointer."""


class RemoteError(OSError, ValueError):
    """An object store did not answer as it should; another try may go better."""


class RemoteAccessError(RemoteError):
    """An object store refuses: no such bucket, no rights, no credentials, or its library is missing."""


@contextmanager
def naming_refusal(place: Path) -> Iterator[None]:
    """Turn what an object store's library raises inside the block into errors that say what to do.

    A missing object stays the `FileNotFoundError` that it is on a disk, and so does a `FileExistsError`.

    Raises:
        RemoteAccessError: There is no such bucket, no right to do this, or no credentials to ask with.
        RemoteError: The store cannot be reached, or fails.
    """
    try:
        yield
    except (RemoteError, FileExistsError):
        raise
    except FileNotFoundError as error:
        if "bucket does not exist" in str(error):
            raise _refusal(place, f"there is no such bucket ({error})", _BUCKET) from error
        raise FileNotFoundError(errno.ENOENT, "No such object", str(place)) from error
    except PermissionError as error:
        raise _refusal(place, f"access is denied ({error})", _RIGHTS) from error
    except _failures() as error:
        if "Credentials" in type(error).__name__:
            raise _refusal(place, f"no credentials to ask with ({error})", _CREDENTIALS) from error
        raise RemoteError(f"{place}: the object store does not answer as it should: {error}\n  do: {_REACH}") from error


def _refusal(place: Path, what: str, do: str) -> RemoteAccessError:
    return RemoteAccessError(f"{place}: {what}\n  do: {do}")


def _failures() -> tuple[type[Exception], ...]:
    """Return what a failing store raises: `OSError`, and where S3's library is loaded its own errors beside it."""
    library: Any = sys.modules.get("botocore.exceptions")
    return (OSError,) if library is None else (OSError, library.BotoCoreError, library.ClientError)
