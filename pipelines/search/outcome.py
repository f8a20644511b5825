"""What came of a search: its trials as a table, the best one, and which keys mattered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from pipelines.search.study import REFUSED, Trials, settings_of
from tasks.errors import TrainingError

# Fewer complete trials say nothing of which key mattered.
_ENOUGH = 8

_WORDS = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def summary(trials: Trials, metric: str) -> dict[str, Any]:
    """Gather what came of a search.

    Returns:
        `status`, `search`, `storage`, `metric`, `trials` (each with `number`, `state`, `value`, `settings` and `why`),
        `best` (one of those) and `importance`, by key, adding up to 1 (empty where there are too few trials).

    Raises:
        TrainingError: No trial came to an end; the message has what was said of the last.
    """
    study = trials.study
    told = [_told(trial, trials) for trial in study.get_trials(deepcopy=False)]
    complete = [each for each in told if each["state"] == "complete"]
    if not complete:
        why = [each["why"] for each in told if each["why"]]
        raise TrainingError(
            f"search: none of {len(told)} trials of {trials.place.study} came to an end"
            + (f"; of the last was said:\n{why[-1]}" if why else "")
            + "\n  do: narrow the space to values that can be trained with, or give more minutes"
        )
    best = study.best_trial.number
    return {
        "status": "done",
        "search": trials.place.study,
        "storage": trials.place.shown,
        "metric": metric,
        "best": next(each for each in complete if each["number"] == best),
        "trials": told,
        "importance": _importance(study, len(complete)),
    }


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the table of trials, the best first."""
    best = found["best"]["number"]
    ordered = sorted(found["trials"], key=lambda each: (each["number"] != best, each["number"]))
    return [
        {
            "trial": f"{each['number']}{' *' if each['number'] == best else ''}",
            "state": each["state"],
            found["metric"]: "" if each["value"] is None else f"{each['value']:.6g}",
            **{key: _figure(value) for key, value in each["settings"].items()},
            "why": each["why"].splitlines()[0] if each["why"] else "",
        }
        for each in ordered
    ]


def _told(trial: FrozenTrial, trials: Trials) -> dict[str, Any]:
    why = trial.user_attrs.get(REFUSED, "")
    return {
        "number": trial.number,
        "state": _WORDS.get(trial.state) or ("refused" if why else "killed"),
        "value": trial.value,
        "settings": settings_of(trial, trials.search),
        "why": why,
    }


def _importance(study: optuna.Study, complete: int) -> dict[str, float]:
    if complete < _ENOUGH:
        return {}
    found = optuna.importance.get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {key: float(share) for key, share in found.items()}


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
