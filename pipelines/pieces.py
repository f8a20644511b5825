"""One piece of a run: a bound task function, timed, with its one line for people."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pipelines.bindings import Binding
from tasks.progress import progress

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


def piece(binding: Binding[..., Result], describe: Callable[[Result], str], **arguments: Any) -> Result:
    """Run one piece and log one line: its name, what came of it, and its wall time or that it was reused.

    Args:
        binding: The bound task function.
        describe: Says what came of it, in a few words.
        arguments: The task function's arguments.
    """
    began = time.perf_counter()
    with progress(binding.name, 1, "piece") as advance:
        result, reused = binding(**arguments)
        advance()
    took = "reused" if reused else f"{time.perf_counter() - began:.1f} s"
    logger.info("%-10s %-58s %s", binding.name, describe(result), took)
    return result
