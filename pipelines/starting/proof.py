"""Proving a draft on the very data: its rules hold, its parts have rows, and nothing leaks that it does not say.

The same task functions do it that a run has, in a place that is removed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from data_contracts.contract import Contract, RowRuleKind
from data_contracts.loader import load_contract
from pipelines.check import leakage_plan, require_sound
from pipelines.config import PipelineConfig, load_config
from pipelines.starting.draft import Draft
from tasks.data.accounting import BROKEN_CSV_ROW
from tasks.data.clean import run_clean
from tasks.data.outcomes import ValidateConfig, read_counts, read_outcomes
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.engine import DaskConfig
from tasks.errors import DataError, TrainingError
from tasks.leakage.check import read_leaks, run_leakage
from tasks.leakage.findings import Leaks
from tasks.profiling.profile import Profiled
from tasks.profiling.words import shortened
from tasks.references import DatasetRef, SplitRef, ValidationRef

_DRAFT = "draft.yaml"
_TRIES = 4
_SHOWN = 5
_TELLING = ("target-in-disguise", "target-in-nulls")
_TOLD = "tells the target, so ask whether it is known beforehand"
_KNOWN = (
    "a column that tells the target alone is mostly made of it, or filled in afterwards; is one known when a "
    "prediction is asked for, take it from `preprocess.exclude` and name its finding in `leakage.accept`"
)


@dataclass(frozen=True)
class _Bench:
    """Where a draft is tried."""

    home: Path
    dask: DaskConfig
    profiled: Profiled
    contracts: dict[str, Contract] = field(default_factory=dict)


def proven(draft: Draft, profiled: Profiled, home: Path, dask: DaskConfig) -> Draft:
    """Return a draft of which every rule holds on the data, and which a run can follow.

    Rules that do not hold are taken out; a split without rows gets another salt; a column that tells the target alone
    is no feature; other leaks are accepted with a reason, for a person to judge.

    Raises:
        DataError: The data cannot be split.
        TrainingError: No column is left to learn from.
    """
    _require_features(draft)
    bench = _Bench(home, dask, profiled)
    draft, contract, validation = _with_rules_that_hold(draft, bench)
    counts = read_counts(validation)
    draft = draft.with_equal_rows(counts.duplicates)
    draft, clean, split = _split(draft, contract, validation, bench)
    while True:
        leaks = _leaks(draft, contract, clean, split, bench)
        left = _without_leaks(draft, leaks)
        _loaded(left, bench)
        # Without a column that tells the target, more rows are equal in all that is left.
        if left.exclude == draft.exclude:
            return left
        draft = left


def _require_features(draft: Draft) -> None:
    if draft.features():
        return
    reasons = "; ".join(f"`{name}`: {why}" for name, why in list(draft.exclude.items())[:_SHOWN]) or "there is no other"
    raise DataError(
        f"{draft.shown}: no column is left to learn `{draft.guess.targets[0]}` from ({reasons})\n"
        "  do: bring columns that say something about a row, or mend those that are named here"
    )


def _with_rules_that_hold(draft: Draft, bench: _Bench) -> tuple[Draft, Contract, ValidationRef]:
    while True:
        _, contract = _loaded(draft, bench)
        validation = run_validate(bench.profiled.raw, contract, ValidateConfig(), bench.home, bench.dask)
        broken = list(_broken(contract, validation))
        if not broken:
            _require_readable(draft, contract, validation)
            return draft, contract, validation
        draft = draft.without_rules(broken)


def _require_readable(draft: Draft, contract: Contract, validation: ValidationRef) -> None:
    share, most = validation.quarantined / validation.rows, ValidateConfig().max_quarantined
    if share <= most:
        return
    columns = {rule.id: rule.column for rule in contract.row_rules}
    reasons = [
        f"`{columns[each.id]}`: {each.broken:,} values such as {', '.join(map(shortened, each.examples[:_SHOWN]))}"
        for each in read_outcomes(validation)
        if each.broken and each.id in columns
    ]
    if cut := read_counts(validation).quarantined.get(BROKEN_CSV_ROW):
        reasons.append(f"{cut:,} rows with too few or too many fields")
    raise DataError(
        f"{draft.shown}: {validation.quarantined:,} of {validation.rows:,} rows ({share:.1%}) cannot be read, and a "
        f"run allows {most:.0%} ({'; '.join(reasons[:_SHOWN])})\n"
        "  do: mend them where the file is written; what is not known, an infinity included, is best left empty"
    )


def _broken(contract: Contract, validation: ValidationRef) -> Iterator[tuple[str, str]]:
    """Yield column and kind of each rule that some row breaks; an unreadable value is a defect, and no rule's fault."""
    columns = {rule.id: rule.column for rule in contract.row_rules}
    keys = {rule.id: rule.columns[0] for rule in contract.key_rules}
    for outcome in read_outcomes(validation):
        if outcome.passed and not outcome.broken:
            continue
        if outcome.id in columns and outcome.kind in get_args(RowRuleKind) and outcome.kind != "type":
            yield columns[outcome.id], outcome.kind
        elif outcome.id in keys:
            yield keys[outcome.id], "key"


def _loaded(draft: Draft, bench: _Bench) -> tuple[PipelineConfig, Contract]:
    """Write a draft into the bench and check it as `headrace check` does; a contract is read once."""
    path, contract = bench.home / _DRAFT, bench.home / draft.contract_path.name
    text = draft.contract_text()
    if text not in bench.contracts:
        contract.write_text(text, encoding="utf-8")
        bench.contracts[text] = load_contract(contract)
    path.write_text(draft.config_text(contract.name, str(Path.cwd() / draft.source.path)), encoding="utf-8")
    config = load_config(path)
    require_sound(config, bench.contracts[text])
    return config, bench.contracts[text]


def _split(
    draft: Draft, contract: Contract, validation: ValidationRef, bench: _Bench
) -> tuple[Draft, DatasetRef, SplitRef]:  # fmt: skip
    config, _ = _loaded(draft, bench)
    clean = run_clean(bench.profiled.raw, validation, contract, config.clean, bench.home, bench.dask)
    for drawn in _other_splits(draft):
        config, _ = _loaded(drawn, bench)
        try:
            return drawn, clean, run_split(clean, contract, config.split, bench.home, bench.dask)
        except DataError as error:
            refusal = error
    raise DataError(f"{draft.shown}: {refusal}")


def _other_splits(draft: Draft) -> Iterator[Draft]:
    yield draft
    if draft.choices.split.method != "time":
        for number in range(1, _TRIES):
            yield draft.with_salt(str(number))
    yield draft.split_by_rows()
    for number in range(1, _TRIES):
        yield draft.split_by_rows().with_salt(str(number))


def _leaks(draft: Draft, contract: Contract, clean: DatasetRef, split: SplitRef, bench: _Bench) -> Leaks:
    config, _ = _loaded(draft, bench)
    return read_leaks(run_leakage(clean, split, leakage_plan(config, contract), bench.home, bench.dask))


def _without_leaks(draft: Draft, leaks: Leaks) -> Draft:
    telling = {each.columns[0]: each.what for each in leaks.findings if each.kind in _TELLING}
    if telling and not draft.features(telling):
        raise TrainingError(
            f"{draft.shown}: every column that is left tells the target alone ({next(iter(telling.values()))})\n"
            "  do: bring columns that are known before the target is, or predict something else"
        )
    others = {each.name: each.what for each in leaks.findings if each.kind not in _TELLING}
    return replace(
        draft,
        exclude={**draft.exclude, **{name: f"{_TOLD}: {what}" for name, what in telling.items()}},
        accept={} if telling else others,
        warnings=(
            *draft.warnings,
            *(f"{what}: no feature" for what in telling.values()),
            *((_KNOWN,) if telling and _KNOWN not in draft.warnings else ()),
            *(f"{what}; accepted in `leakage`" for what in others.values() if not telling),
        ),
    )  # fmt: skip
