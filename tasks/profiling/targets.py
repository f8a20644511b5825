"""What could be predicted, and what kind of problem that would be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.errors import ConfigError, DataError
from tasks.preprocessing.targets import Problem
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.roles import find_roles
from tasks.profiling.words import quoted, shortened, words_of

_STRONG = frozenset(
    {
     "target", "label", "class", "outcome", "y", "churn", "churned", "survived", "response", "diagnosis",
     "species", "fraud", "default", "result", "delayed", "purchased", "converted",
    }
)  # fmt: skip
_USUAL = frozenset(
    {
     "price", "score", "rating", "quality", "income", "salary", "status", "grade", "progression", "wage", "risk",
     "sales", "demand", "cost", "value", "type", "category", "revenue", "is", "has",
    }
)  # fmt: skip
_CLASSES, _ROWS_EACH = 20, 10
_MOST_CLASSES = 200
_SHOWN = 5
_LEAST_ROWS = 10
# Rows of a class: fewer cannot be learned. Of the share that is tested: fewer test nothing, more make a steady figure.
_FEW, _TESTED, _TESTABLE, _STEADY = 10, 0.15, 5, 30
_EXTREME = 0.05


@dataclass(frozen=True)
class Guess:
    """What is predicted, and what kind of problem it is taken to be.

    Attributes:
        targets: The columns; several are labels.
        problem: The problem.
        why: The reason, in a few words.
        counts: Rows of each class; empty for a number and for labels.
        warnings: What a person should know.
    """

    targets: tuple[str, ...]
    problem: Problem
    why: str
    counts: Mapping[str | int | float, int]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A column that could be predicted."""

    name: str
    why: str
    score: int


def candidates(columns: Sequence[ColumnFacts]) -> list[Candidate]:
    """Return the columns that could be predicted, the likeliest first."""
    useless = find_roles(columns, ()).useless
    found = []
    for place, facts in enumerate(columns):
        try:
            guess = guess_problem(columns, [facts.name])
        except (ConfigError, DataError):
            continue
        words = words_of(facts.name)
        told = [(10, "is called like one")] if set(words) & _STRONG else []
        told += [(4, "is called like one")] if set(words) & _USUAL and not told else []
        told += [(5, "is the last column")] if place == len(columns) - 1 else []
        told += [(1, "is the first column")] if place == 0 else []
        told += [(3, guess.why)] if guess.problem == "binary" else [(1, guess.why)]
        score = sum(points for points, _ in told) - (20 if facts.name in useless else 0)
        found.append(Candidate(facts.name, f"{guess.problem}: {', '.join(why for _, why in told)}", score))
    return sorted(found, key=lambda each: -each.score)


def no_target(columns: Sequence[ColumnFacts], source: str) -> ConfigError:
    """Return what to raise where no target is named: the candidates, in order."""
    found = [each for each in candidates(columns) if each.score > 0][:_SHOWN]
    if not found:
        return ConfigError(f"{source}: no column looks like one to predict\n  do: name it with --target COLUMN")
    width = max(len(shortened(each.name)) for each in found)
    listed = "\n".join(f"  {shortened(each.name):<{width}}  {each.why}" for each in found)
    return ConfigError(
        f"--target is missing; what should be predicted? Likely columns of {source}:\n{listed}\n"
        f"  do: run again with --target {quoted(found[0].name)}"
    )


def guess_problem(columns: Sequence[ColumnFacts], targets: Sequence[str]) -> Guess:
    """Guess the problem from what the target's columns hold.

    Args:
        columns: All columns.
        targets: One of them, or several labels.

    Raises:
        ConfigError: Nothing can be learned of it.
        DataError: There are too few rows.
    """
    by_name = {facts.name: facts for facts in columns}
    if len(targets) > 1:
        return _labels([by_name[name] for name in targets])
    return _one(by_name[targets[0]])


def _labels(labels: Sequence[ColumnFacts]) -> Guess:
    wrong = [each.name for each in labels if each.kind != "boolean" and not (each.values and {*each.values} <= {0, 1})]
    if wrong:
        raise ConfigError(
            f"--target {wrong[0]}: of several targets each must say yes or no (0 and 1, true and false)\n"
            "  do: name one target, or only columns of that kind"
        )
    for facts in labels:
        _require_two(facts)
    return Guess(tuple(facts.name for facts in labels), "multilabel", f"{len(labels)} columns of yes and no", {})


def _one(facts: ColumnFacts) -> Guess:
    if 0 < facts.told < _LEAST_ROWS:
        rows = f"{facts.rows:,} row{'' if facts.rows == 1 else 's'}"
        raise DataError(
            f"{rows}, {facts.told:,} of them with a `{facts.name}`: too few to learn from and to test on\n"
            f"  do: bring more rows; {_LEAST_ROWS} are the very least, and some hundreds a beginning"
        )
    _require_two(facts)
    warnings = []
    if facts.nulls:
        warnings.append(f"{facts.nulls:,} rows have no `{facts.name}`: they are left out of training and test")
    name, values = facts.name, facts.values
    if facts.kind in {"date", "timestamp"}:
        raise ConfigError(
            f"--target {name}: a {facts.kind}, and what is predicted is a class or a number\n"
            "  do: name another column, or write the days until then as a number"
        )
    few = facts.distinct <= _CLASSES and facts.told >= _ROWS_EACH * facts.distinct
    classes = facts.kind in {"boolean", "string"} or (facts.kind == "integer" and (facts.distinct == 2 or few))
    if not classes:
        what = "numbers" if facts.kind == "number" else "whole numbers"
        return Guess((name,), "regression", f"{facts.distinct:,} different {what}", {}, tuple(warnings))
    if not values or facts.distinct > _MOST_CLASSES or facts.told < 2 * facts.distinct:
        raise ConfigError(
            f"--target {name}: {facts.distinct:,} different texts in {facts.told:,} rows are no classes to predict\n"
            "  do: name another column, or put its texts into a few classes"
        )
    problem: Problem = "binary" if len(values) == 2 else "multiclass"
    shown = ", ".join(f"{_said(value, facts)} ({count:,} rows)" for value, count in list(values.items())[:4])
    why = f"{len(values)} classes: {shown}" + (", ..." if len(values) > 4 else "")
    return Guess((name,), problem, why, values, (*warnings, *_balance(facts)))


def _balance(facts: ColumnFacts) -> list[str]:
    rarest, count = list(facts.values.items())[-1]
    classes, named = len(facts.values), _said(rarest, facts)
    rare = sum(rows * _TESTED < _TESTABLE for rows in facts.values.values())
    if count < _FEW and rare == 1:
        return [f"the class {named} of `{facts.name}` has {count} rows: too few to learn or to test it"]
    if rare and classes > 2:
        least = math.ceil(_TESTABLE / _TESTED)
        said = (
            f"{rare} of the {classes} classes of `{facts.name}` have fewer than {least} rows ({named} has {count}): "
            "too few to learn or to test them; one class for all of them may serve"
        )
        return [said]
    share, tested = count / facts.told, _TESTED * count
    found = []
    if share < _EXTREME:
        percent = f"{100 * share:.2g} %"
        found.append(f"extreme imbalance: {named} is {percent} of `{facts.name}`; accuracy tells little")
    if share < _EXTREME and tested < _STEADY:
        found.append(f"about {tested:.0f} rows with {named} come into the test split: figures on so few are rough")
    return found


def _said(value: object, facts: ColumnFacts) -> str:
    return str(bool(value)).lower() if facts.kind == "boolean" else shortened(value)


def _require_two(facts: ColumnFacts) -> None:
    if facts.distinct >= 2:
        return
    only = next(iter(facts.values), None)
    what = "no value at all" if not facts.told else f"the one value {_said(only, facts)!r} in all {facts.told:,} rows"
    raise ConfigError(
        f"--target {facts.name}: it holds {what}, so there is nothing to learn\n"
        "  do: name another column, or bring data that has both outcomes"
    )
