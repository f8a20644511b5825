"""The silence that counts as death is longer than any heartbeat."""

from __future__ import annotations

from pipelines import environment
from pipelines.automation.crashed import SILENCE

# What Prefect does where nobody asked for another: the job of a deployment that was made without Headrace.
PREFECTS_OWN_SECONDS = 180


def test_several_heartbeats_fit_into_the_silence() -> None:
    ours = int(environment._DEFAULTS["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert SILENCE.total_seconds() > 3 * PREFECTS_OWN_SECONDS
    assert SILENCE.total_seconds() > 10 * ours
