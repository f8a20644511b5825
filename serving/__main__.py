"""`python -m serving`: the endpoint from the command line."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from serving.bundle.errors import RemoteError
from serving.bundle.places import place
from serving.config import ServeConfig
from serving.server import serve

_USER_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the endpoint from the command line.

    Args:
        arguments: The arguments; the process's own by default.

    Returns:
        The exit code: 0 after a graceful stop, 2 when an argument is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m serving", description="Serve the champions of a model store.")
    parser.add_argument(
        "--store", type=place, required=True, help="the model store: a folder, or a URI such as s3://..."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free port and prints it")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        if not given.store.is_dir():
            print(f"{given.store}: no such folder\n  do: name the model store with --store", file=sys.stderr)
            return _USER_ERROR
        serve(ServeConfig(store=given.store, host=given.host, port=given.port))
    except RemoteError as error:
        print(error, file=sys.stderr)
        return _USER_ERROR
    except (ValidationError, OSError) as error:
        print(f"cannot serve on {given.host}:{given.port}: {error}", file=sys.stderr)
        return _USER_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
