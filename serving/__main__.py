"""`python -m serving`: the endpoint from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from serving.bundle.errors import RemoteError
from serving.config import ServeConfig
from serving.config_file import ConfigError, load_config
from serving.server import log_to_stderr, serve
from serving.transports.workers import WorkersFailedError

_USER_ERROR = 2
_UNFORESEEN = 1
_OPTIONS = {"store": "store", "host": "host", "port": "port", "keys": "keys.file"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the endpoint from the command line.

    Args:
        arguments: The arguments; the process's own by default.

    Returns:
        The exit code: 0 after a graceful stop, 2 when an argument is wrong, 1 when worker processes keep ending.
    """
    parser = argparse.ArgumentParser(prog="python -m serving", description="Serve the champions of a model store.")
    parser.add_argument("--config", type=Path, help="a YAML file of settings")
    parser.add_argument("--store", help="the model store: a folder, or a URI such as s3://...")
    parser.add_argument("--host", help="the address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, help="0 takes a free port and prints it [8080]")
    parser.add_argument("--keys", metavar="FILE", help="ask for API keys: the file that `headrace keys` writes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the config")
    given = parser.parse_args(arguments)
    log_to_stderr()
    options = {
        key: (f"--{name}", value) for name, key in _OPTIONS.items() if (value := getattr(given, name)) is not None
    }
    try:
        config = load_config(ServeConfig, given.config, options, given.set)
        if not config.store.is_dir():
            print(f"{config.store}: no such folder\n  do: name the model store with --store", file=sys.stderr)
            return _USER_ERROR
        serve(config)
    except RemoteError as error:
        print(error, file=sys.stderr)
        return _USER_ERROR
    except (ConfigError, OSError) as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return _USER_ERROR
    except WorkersFailedError as error:
        print(error, file=sys.stderr)
        return _UNFORESEEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
