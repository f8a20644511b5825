"""A task function in a process of its own, for work that imports a large library while the flow goes on.

A thread would not do. Where modules import each other in a circle, two threads that import them at once can come to
wait for one another, and Python then ends one of the imports with an error (`_DeadlockError`).
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, ParamSpec, TypeVar, cast

from tasks.children import how_it_ended

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_own_process(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a module's function so that each call runs in a process that ends with it, and with this process.

    The wrapped function returns or raises what the function does, and raises `ChildProcessError`, which another try may
    mend, when the process dies before it has said how it went.
    """

    @functools.wraps(function)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        ours, theirs = Pipe()
        with ours:
            with theirs:
                process = _start(theirs)
            try:
                ours.send((function, arguments, named))
                error, result = ours.recv()
            except (EOFError, ConnectionError) as gone:
                raise ChildProcessError(
                    f"{function.__name__}: its process {how_it_ended(process.wait())}, before it had a result\n"
                    "  do: run again; what is finished is kept"
                ) from gone
            finally:
                process.kill()
                process.wait()
        if error is not None:
            raise error
        return cast("Result", result)

    return run


def main() -> None:
    """Take a call from the connection that the first argument numbers, and answer with its error or its result."""
    connection = Connection(int(sys.argv[1]))
    function, arguments, named = connection.recv()
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    connection.send(_outcome(functools.partial(function, *arguments, **named)))


def _start(connection: Connection[Any, Any]) -> subprocess.Popen[bytes]:
    number = connection.fileno()
    path = os.pathsep.join(folder for folder in sys.path if folder)
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "pipelines.own_process", str(number)],
        pass_fds=(number,),
        stdin=subprocess.DEVNULL,
        # The run's own answer goes there.
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        # A terminal sends Ctrl-C to all of a group; the run hears it, and ends this process.
        start_new_session=True,
    )


def _outcome(call: Callable[[], Any]) -> tuple[Exception | None, Any]:
    try:
        return None, call()
    except Exception as error:  # noqa: BLE001 - it is raised again on the other side
        if not isinstance(error, ValueError):
            error.add_note(traceback.format_exc())
        return _that_travels(error), None


def _that_travels(error: Exception) -> Exception:
    """Return an error, or one in its words: many a library's own cannot be made anew of its message alone."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - whatever the class of somebody else's error raises
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.__notes__ = getattr(error, "__notes__", [])
        return told
    return error


def _end_with_parent(connection: Connection[Any, Any]) -> None:
    connection.poll(None)
    os._exit(1)


if __name__ == "__main__":
    main()
