"""The trials in their database: how they begin, end, are killed and go on."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from pipelines.search import outcome
from pipelines.search.config import SearchConfig
from pipelines.search.study import REFUSED, Place, Trials, place_of, settings_of
from tasks.errors import ConfigError, TrainingError

SPACE = {"rate": {"low": 1e-4, "high": 1e-1, "log": True}, "hidden": {"choices": [[8], [16, 16], None]}}


def opened(folder: Path, **section: Any) -> Trials:
    search = SearchConfig.model_validate({"space": SPACE, "trials": 6, **section})
    return Trials(place_of(search, "customers-1", folder, "customers"), search, "log_loss")


def loss(settings: dict[str, Any]) -> float:
    return float(settings["rate"]) + len(settings["hidden"] or ())


def run(trials: Trials, most: int = 100) -> list[dict[str, Any]]:
    tried = []
    while len(tried) < most and (trial := trials.claim()) is not None:
        tried.append(settings_of(trial, trials.search))
        trials.study.tell(trial, loss(tried[-1]))
    return tried


def test_a_search_that_goes_on_tries_what_one_at_a_stretch_tries(tmp_path: Path) -> None:
    whole = run(opened(tmp_path / "whole", trials=6))
    assert len(whole) == len({str(each) for each in whole}) == 6
    parts = [run(opened(tmp_path / "parts", trials=6), most) for most in (2, 3, 100)]
    assert [each for part in parts for each in part] == whole
    assert run(opened(tmp_path / "parts", trials=6)) == []
    assert len(run(opened(tmp_path / "parts", trials=7))) == 1


def test_choices_come_back_as_the_config_takes_them(tmp_path: Path) -> None:
    tried = run(opened(tmp_path, sampler="random", trials=9))
    assert {str(each["hidden"]) for each in tried} == {"[8]", "[16, 16]", "None"}
    assert all(1e-4 <= each["rate"] <= 1e-1 for each in tried)


def test_a_trial_whose_process_is_gone_is_tried_again(tmp_path: Path) -> None:
    trials = opened(tmp_path)
    run(trials, 2)
    killed, alive, elsewhere = (trials.claim() for _ in range(3))
    assert killed
    assert alive
    assert elsewhere
    here = socket.gethostname()
    killed.set_user_attr("owner", {"host": here, "pid": 2**22 + 1, "started": 0.0})
    elsewhere.set_user_attr("owner", {"host": f"not-{here}", "pid": 1, "started": 0.0})
    again = opened(tmp_path)
    assert again.put_back_killed() == 1
    assert again.put_back_killed() == 0
    states = {trial.number: trial.state for trial in again.study.trials}
    assert (states[2], states[3], states[4]) == (TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING)
    first, *_ = run(again)
    assert first == settings_of(killed, trials.search)
    # Six are wanted: two were complete, two are under way, and the killed one does not count.
    assert len(again.counted()) == 4


def test_what_is_refused_counts_and_is_told(tmp_path: Path) -> None:
    trials = opened(tmp_path, trials=2)
    with pytest.raises(TrainingError, match="none of 0 trials of customers-1 came to an end"):
        outcome.summary(trials, "log_loss")
    trial = trials.claim()
    assert trial
    trial.set_user_attr(REFUSED, "column x: too large\n  do: less")
    trials.study.tell(trial, state=TrialState.FAIL)
    with pytest.raises(TrainingError, match="column x: too large"):
        outcome.summary(trials, "log_loss")
    (tried,) = run(trials)
    found = outcome.summary(trials, "log_loss")
    assert found["best"] | {"why": ""} == {
        "number": 1,
        "state": "complete",
        "value": loss(tried),
        "settings": tried,
        "why": "",
    }
    assert [row["state"] for row in outcome.rows(found)] == ["complete", "refused"]
    assert outcome.rows(found)[1]["why"] == "column x: too large"


def test_the_key_that_matters_is_found(tmp_path: Path) -> None:
    trials = opened(tmp_path, trials=8)
    run(trials)
    found = outcome.summary(trials, "log_loss")
    assert found["importance"].keys() == {"rate", "hidden"}
    assert sum(found["importance"].values()) == pytest.approx(1)
    assert found["importance"]["hidden"] > 0.5
    assert found["best"]["settings"]["hidden"] is None


def test_a_database_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path) -> None:
    search = SearchConfig.model_validate({"space": SPACE, "storage": f"sqlite:///{tmp_path}/not/there.db"})
    with pytest.raises(ConfigError, match=r"search\.storage: sqlite:.* cannot be used"):
        Trials(place_of(search, "s", tmp_path, "f"), search, "log_loss")
    secret = Place("postgresql://me:secret@nowhere/db", "s", tmp_path / "lock")
    assert "secret" not in secret.shown
