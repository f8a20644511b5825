"""How predictions are calibrated and decided, and what of it a problem can have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, PositiveInt, field_validator

from tasks.calibration.rules import RULES, FixedRule, NoRule, ThresholdRule
from tasks.errors import ConfigError
from tasks.preprocessing.targets import Problem
from tasks.training.choice import require_known

Method = Literal["none", "temperature", "isotonic", "conformal"]

_METHODS: dict[Problem, tuple[Method, ...]] = {
    "binary": ("temperature", "isotonic", "none"),
    "multiclass": ("temperature", "isotonic", "none"),
    "multilabel": ("temperature", "isotonic", "none"),
    "regression": ("none",),
    "quantile": ("none", "conformal"),
}
_WITH_THRESHOLDS: frozenset[Problem] = frozenset({"binary", "multilabel"})


class CalibrateConfig(BaseModel):
    """What is fitted on the validation split once the model is trained.

    Attributes:
        method: How probabilities are brought in line with what happens (`temperature`, `isotonic`), or quantiles with
            the share of rows below them (`conformal`). Left out: `temperature` for classes and labels, else `none`.
        threshold: How the least probability of the second class of two, or of each label, is chosen. A rule that needs
            nothing more may be written as its name alone.
        threads: Threads of torch; one by default, so that scores are the same on every machine of one kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method | None = None
    threshold: ThresholdRule = NoRule()
    threads: PositiveInt = 1

    @field_validator("method", mode="before")
    @classmethod
    def _known_method(cls, given: Any) -> Any:
        if given is not None:
            require_known("calibrate.method", given, get_args(Method))
        return given

    @field_validator("threshold", mode="before")
    @classmethod
    def _known_rule(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = {"rule": given}
        if isinstance(given, dict) and "rule" in given:
            require_known("calibrate.threshold.rule", given["rule"], RULES)
        return given

    def method_for(self, problem: Problem) -> Method:
        """Return the method, or the one that a problem has where none is named."""
        return self.method or _METHODS[problem][0]


def require_calibration(config: CalibrateConfig, problems: Collection[Problem], targets: Collection[str] = ()) -> None:
    """Check that at least one of the problems that a config may turn out to have can be calibrated and decided so.

    Args:
        config: What is asked for.
        problems: One, or those that only the data will tell apart.
        targets: Raw columns of the target, which are the labels of a multilabel problem.

    Raises:
        ConfigError: None can, or a label that is named is none.
    """
    said = " or ".join(sorted(problems))
    if all(config.method_for(problem) not in _METHODS[problem] for problem in problems):
        fitting = sorted({method for problem in problems for method in _METHODS[problem]})
        raise ConfigError(
            f"calibrate.method: `{config.method}` does not fit a {said} problem; expected {' or '.join(fitting)}\n"
            "  do: write one of them, or leave `method` out"
        )
    if not isinstance(config.threshold, NoRule) and not _WITH_THRESHOLDS.intersection(problems):
        instead = "the class of the largest probability is the answer" if "multiclass" in problems else "it has none"
        raise ConfigError(
            f"calibrate.threshold: a {said} problem is not decided by thresholds; {instead}\n"
            "  do: leave `threshold` out"
        )
    if isinstance(config.threshold, FixedRule) and isinstance(config.threshold.value, Mapping):
        if "multilabel" not in problems:
            raise ConfigError(
                f"calibrate.threshold.value: a {said} problem has one threshold, got one for each of "
                f"{', '.join(list(config.threshold.value)[:5])}\n  do: write one number"
            )
        for label in config.threshold.value:
            require_known("calibrate.threshold.value", label, targets)
