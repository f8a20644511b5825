"""How values are drawn: each trial by a seed of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from pipelines.search.config import Range, SearchConfig
from tasks.storage import digest_of

# A trial is measured against others only when so many are complete, and from its second round on.
_COMPLETE_BEFORE_PRUNING, _ROUNDS_BEFORE_PRUNING = 4, 2


class NumberedSampler(BaseSampler):
    """Draws by a seed that is made of the search's seed and the trial's number.

    A sampler of Optuna's begins its random numbers anew when a search goes on, and several processes with one seed
    draw the same: either way trials would be repeated. Here a trial's values follow from the trials that are complete,
    the seed and its number.
    """

    def __init__(self, kind: str, seed: int) -> None:
        """Take the kind, `tpe` or `random`, and the search's seed."""
        self._kind = kind
        self._seed = seed

    def _of(self, trial: FrozenTrial, name: str = "") -> BaseSampler:
        seed = int(digest_of([self._seed, trial.number, name])[:8], 16)
        # The constant liar keeps processes that draw at the same time apart.
        return TPESampler(seed=seed, constant_liar=True) if self._kind == "tpe" else RandomSampler(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See Optuna's `BaseSampler`."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See Optuna's `BaseSampler`."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See Optuna's `BaseSampler`; each key has random numbers of its own."""
        return self._of(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """See Optuna's `BaseSampler`; nothing is kept."""


def build_pruner(search: SearchConfig) -> BasePruner:
    """Return what ends hopeless trials early."""
    if not search.prune:
        return NopPruner()
    return MedianPruner(n_startup_trials=_COMPLETE_BEFORE_PRUNING, n_warmup_steps=_ROUNDS_BEFORE_PRUNING)


def distributions(search: SearchConfig) -> Mapping[str, BaseDistribution]:
    """Return the space as Optuna has it; a choice is known by its JSON."""
    found: dict[str, BaseDistribution] = {}
    for key, values in search.space.items():
        if not isinstance(values, Range):
            found[key] = CategoricalDistribution(values.texts())
        elif values.whole:
            step = 1 if values.step is None else int(values.step)
            found[key] = IntDistribution(int(values.low), int(values.highest), log=values.log, step=step)
        else:
            found[key] = FloatDistribution(values.low, values.highest, log=values.log, step=values.step)
    return found
