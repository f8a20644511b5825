from __future__ import annotations

from typing import Any

import pytest
from prefect.client.schemas.objects import State, StateType
from prefect.logging import disable_run_logger

from data_contracts.errors import ContractBrokenError
from pipelines.states import ended
from pipelines.wording import first_sentence
from tasks.errors import ConfigError, GateRefusedError, LeakageError

REFUSAL = (
    "churn version 2 is not promoted; version 1 stays the champion. Refused by:\n"
    "  - floor roc_auc: expected >= 0.9, got 0.8, short by 0.1\n"
    "  - gain roc_auc: expected >= 0, got -0.02, short by 0.02\n"
    "  do: look at report.html"
)
SUMMARY = {"model": "churn", "version": "3", "metrics": {"log_loss": 0.5, "roc_auc": 0.81234, "ece": 0.1}}


def end_of(error: Exception) -> State[Any]:
    def work() -> dict[str, Any]:
        raise error

    with disable_run_logger():
        return ended(work)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (GateRefusedError(REFUSAL), "Refused"),
        (ContractBrokenError("the data broke it"), "ContractBroken"),
        (LeakageError("leakage: 1 finding"), "LeakFound"),
        (ConfigError("config.yaml:3: no such key"), "Failed"),
    ],
)
def test_an_error_that_is_the_users_has_a_state_that_is_never_retried(error: ValueError, name: str) -> None:
    state = end_of(error)
    assert (state.type, state.name) == (StateType.FAILED, name)
    assert state.state_details.retriable is False
    assert state.message == first_sentence(error)
    assert state.result(raise_on_failure=False) is error


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError("the disk"), RuntimeError("a defect")])
def test_a_defect_is_raised_and_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        end_of(error)


def test_a_promotion_is_told_with_the_headlines_alone() -> None:
    state = ended(lambda: SUMMARY)
    assert (state.type, state.name) == (StateType.COMPLETED, "Promoted")
    assert state.message == "churn version 3 is the champion: test roc_auc 0.8123, log_loss 0.5000"
    assert state.result() == SUMMARY


def test_the_first_sentence_names_the_first_gate_and_counts_the_others() -> None:
    assert first_sentence(GateRefusedError(REFUSAL)) == (
        "churn version 2 is not promoted; version 1 stays the champion. Refused by: "
        "floor roc_auc: expected >= 0.9, got 0.8, short by 0.1 (and 1 more)"
    )


@pytest.mark.parametrize(
    "message", ["no such key", "no such key\n  do: look", "no such key\n    such as a\n  do: look"]
)
def test_the_first_sentence_leaves_out_examples_and_what_to_do(message: str) -> None:
    assert first_sentence(ConfigError(message)) == "no such key"
