"""A draft of a contract and a config: everything that is guessed, until both texts are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.starting.choices import Choices, choose
from pipelines.starting.config_text import ConfigPlan, config_text
from pipelines.starting.contract_text import ContractPlan, contract_text
from tasks.data.sources import SourceConfig
from tasks.export.standards import OUTPUTS
from tasks.preprocessing.targets import TARGET
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.roles import Roles, find_roles
from tasks.profiling.rules import ColumnRules, rules_of
from tasks.profiling.targets import Guess

_OPTIONS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "pattern": "pattern",
    "max_length": "maxLength",
    "format": "format",
}


@dataclass(frozen=True)
class Draft:
    """What is guessed of one dataset.

    Attributes:
        shown: The source, as the user wrote it.
        format: Of its files.
        exclude: Why a column is no feature.
        accept: Why a leak does not stop a run.
    """

    name: str
    shown: str
    format: str
    source: SourceConfig
    assumed: Mapping[str, str]
    columns: Sequence[ColumnFacts]
    left_out: Mapping[str, str]
    guess: Guess
    roles: Roles
    rules: Mapping[str, ColumnRules]
    choices: Choices
    exclude: Mapping[str, str]
    accept: Mapping[str, str]
    warnings: tuple[str, ...]
    contract_path: Path

    @property
    def rows(self) -> int:
        """Rows of the source that could be split into fields."""
        return self.columns[0].rows

    @property
    def rows_with_target(self) -> int:
        """Rows that all targets have a value in, at most."""
        return min(facts.told for facts in self.columns if facts.name in self.guess.targets)

    def features(self, without: Collection[str] = ()) -> list[str]:
        """Return the columns that features are made of."""
        out = {*self.exclude, *self.guess.targets, *without}
        return [facts.name for facts in self.columns if facts.name not in out]

    def contract_text(self) -> str:
        """Return the contract."""
        listed = [(facts, self.rules[facts.name]) for facts in self.columns]
        plan = ContractPlan(self.name, self.shown, self.format, self.rows, listed, self.roles.key,
                            self.roles.personal, self.left_out)  # fmt: skip
        return contract_text(plan)

    def config_text(self, contract: str, path: str) -> str:
        """Return the config, for a place from which contract and source are reached so."""
        source = self.source.model_copy(update={"path": path})
        features = set(self.features())
        texts = any(facts.kind == "string" and facts.name in features for facts in self.columns)
        plan = ConfigPlan(self.name, contract, source, self.assumed, self.guess, self.choices, self.exclude,
                          self.accept, texts, self.warnings)  # fmt: skip
        return config_text(plan)

    def without_rules(self, broken: Iterable[tuple[str, str]]) -> Draft:
        """Return the draft without rules that do not hold, given as column and kind."""
        rules, roles = dict(self.rules), self.roles
        for name, kind in broken:
            if kind == "key":
                roles = replace(roles, key=None)
            elif kind == "required":
                rules[name] = replace(rules[name], required=False)
            elif kind == "enum":
                rules[name] = replace(rules[name], enum=())
            else:
                left = {key: value for key, value in rules[name].options.items() if key != _OPTIONS[kind]}
                rules[name] = replace(rules[name], options=left)
        return replace(self, rules=rules, roles=roles, choices=choose(self.guess, roles, self.rows_with_target))

    def with_equal_rows(self, equal: int) -> Draft:
        """Return the draft for data of which so many rows repeat another."""
        return replace(self, choices=choose(self.guess, self.roles, self.rows_with_target, equal))

    def with_salt(self, salt: str) -> Draft:
        """Return the draft with another draw of the split."""
        split = self.choices.split.model_copy(update={"salt": salt})
        return replace(self, choices=replace(self.choices, split=split))

    def split_by_rows(self) -> Draft:
        """Return the draft split neither by group nor by time, which left a part without rows."""
        roles = replace(self.roles, group=None, groups=None, time=None)
        choices = choose(self.guess, roles, self.rows_with_target)
        return replace(self, roles=roles, choices=replace(choices, keep_equal=self.choices.keep_equal))


def first_draft(
    draft_of: tuple[str, str, str, Path],
    source: SourceConfig,
    assumed: Mapping[str, str],
    described: tuple[Sequence[ColumnFacts], Mapping[str, str]],
    guess: Guess,
) -> Draft:
    """Make the draft that is then proven.

    Args:
        draft_of: The pipeline's name, the source as the user wrote it, its format, and the contract's place.
        source: How the data is read.
        assumed: Reasons for keys of the source.
        described: The facts of all columns, and the types of those that no contract can describe.
        guess: What is predicted.
    """
    name, shown, kind, contract = draft_of
    columns, left_out = described
    if guess.problem == "multilabel":
        columns = [_as_label(facts) if facts.name in guess.targets else facts for facts in columns]
    roles = find_roles(columns, guess.targets)
    told = min(facts.told for facts in columns if facts.name in guess.targets)
    exclude = dict(roles.useless)
    for facts in columns:
        if facts.name in OUTPUTS[guess.problem] and facts.name not in guess.targets:
            exclude[facts.name] = "the model's answer has a part of this name: rename it to use it"
        if facts.name == TARGET and facts.name not in guess.targets:
            exclude[facts.name] = "features keep this name for what is predicted: rename it to use it"
    return Draft(
        name=name,
        shown=shown,
        format=kind,
        source=source,
        assumed=assumed,
        columns=columns,
        left_out=left_out,
        guess=guess,
        roles=roles,
        rules={facts.name: rules_of(facts, predicted=facts.name in guess.targets) for facts in columns},
        choices=choose(guess, roles, told),
        exclude=exclude,
        accept={},
        warnings=(*_size_warnings(told), *guess.warnings, *roles.warnings),
        contract_path=contract,
    )


def _as_label(facts: ColumnFacts) -> ColumnFacts:
    return replace(facts, column=facts.column.model_copy(update={"logical_type": "boolean"}))


def _size_warnings(rows: int) -> list[str]:
    if rows < 200:
        return [f"{rows:,} rows are few: figures on so small a test split say little, and may well refuse a good model"]
    return []
