"""How a run ends in Prefect: a gate that refused has a state of its own, which no crash and no defect can have."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State, StateDetails
from prefect.states import Completed, Failed

from pipelines import wording
from pipelines.failures import exit_code_of, meaning_of

PROMOTED = "Promoted"
REFUSED = "Refused"
CONTRACT_BROKEN = "ContractBroken"
LEAK_FOUND = "LeakFound"

# Every other error of Headrace's own ends in Prefect's `Failed`.
_REFUSALS = {
    "GateRefusedError": REFUSED,
    "ContractBrokenError": CONTRACT_BROKEN,
    "LeakageError": LEAK_FOUND,
}


class _Untold(logging.Filter):
    """Lets pass what is not in the run's log yet.

    A deployment's process raises the error of a failed state, and Prefect would log it again, as unexpected and with
    its traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, ValueError) or exit_code_of(error) is None


_UNTOLD = _Untold()


def ended(work: Callable[[], Mapping[str, Any]]) -> State[Any]:
    """Do a run's work and return the state that the run ends in.

    Prefect takes a state that a flow returns for the run's own. Whoever called the flow gets the summary, or the very
    error raised.

    Args:
        work: Returns the run's summary.

    Returns:
        `Promoted`; or for an error of Headrace's own a failed state, whose message is the error's first sentence. The
        whole message is in the run's log, without a traceback: it is the user's to mend.

    Raises:
        Exception: Whatever else went wrong; Prefect logs it with its traceback and fails the run.
    """
    try:
        summary = work()
    except ValueError as error:
        if exit_code_of(error) is None:
            raise
        get_run_logger().error("%s", error)
        logging.getLogger("prefect.flow_runs").addFilter(_UNTOLD)
        return _failed(error)
    return Completed(name=PROMOTED, message=wording.promoted(summary), data=summary)


def _failed(error: ValueError) -> State[Any]:
    name = meaning_of(error, _REFUSALS) or "Failed"
    # Whatever retries a deployment has been given: the same data would be refused again.
    details = StateDetails(retriable=False)
    return Failed(name=name, message=wording.first_sentence(error), data=error, state_details=details)
