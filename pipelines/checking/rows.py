"""Do the first rows of a source fit the contract? A run's own ingest and validate say it, of copies of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data_contracts.contract import Contract
from data_contracts.errors import ContractBrokenError, SchemaMismatchError
from data_contracts.judge import RuleOutcome
from data_contracts.parsing import parse_table
from pipelines.checking.heads import Heads, copy_heads
from pipelines.checking.target import target_notes
from pipelines.config import PipelineConfig
from tasks.data.accounting import BROKEN_CSV_ROW
from tasks.data.ingest import run_ingest
from tasks.data.outcomes import read_counts, read_outcomes
from tasks.data.partitions import read_manifest, read_partition
from tasks.data.validate import run_validate
from tasks.data.verdicts import NO_RULE, read_verdicts
from tasks.engine import DaskConfig
from tasks.references import DatasetRef, ValidationRef

_SHOWN = 5
_HERE = DaskConfig(threads=1)


@dataclass(frozen=True)
class FirstRows:
    """What the first rows say.

    Attributes:
        looked: How many rows were looked at.
        rows: Rows of the whole source, about.
        counted: Whether every row of it was counted.
        quarantined: Rows by the id of the rule that a run would quarantine them for.
        values: Different values of the target that were seen; of several columns the most.
        notes: Sentences for a person.
        summary: What was looked at, in a few words.
    """

    looked: int
    rows: int
    counted: bool
    quarantined: dict[str, int]
    values: int
    notes: tuple[str, ...]
    summary: str


def look_at_rows(config: PipelineConfig, contract: Contract) -> FirstRows:
    """Hold the first rows of a source against its contract; nothing is written below Headrace's home.

    Rules of the whole table are not judged: few rows say nothing of them.

    Raises:
        DataError: The source is not there, cannot be read, or lacks columns.
        SchemaMismatchError: Columns have types that the contract's cannot be read from; all of them are named.
        ContractBrokenError: More rows would be quarantined than the config allows, and that is certain: every row was
            looked at, or none is good.
        TrainingError: Every row was looked at, and the target cannot be learned.
    """
    by_row = contract.model_copy(update={"table_rules": (), "expectation_rules": ()})
    with tempfile.TemporaryDirectory(prefix="headrace-check-") as name:
        home, folder = Path(name) / "home", Path(name) / "source"
        folder.mkdir()
        heads = copy_heads(config.source, folder)
        raw = run_ingest(heads.source, by_row, home, _HERE)
        validation = _validated(raw, by_row, config, home)
        kept = _kept_targets(raw, validation, by_row, config.targets)
        quarantined = dict(read_counts(validation).quarantined)
        values = max(len(kept.column(name).drop_null().unique()) for name in config.targets)
        notes = [
            *_unknown(heads, contract),
            *_broken(quarantined, validation, contract),
            *_share(validation, contract, config, whole=heads.whole),
            *target_notes(kept, contract, config, whole=heads.whole),
        ]
    rows = validation.rows if heads.whole else heads.rows
    return FirstRows(
        validation.rows, rows, heads.counted, quarantined, values, tuple(notes), _summary(heads, validation)
    )


def _summary(heads: Heads, validation: ValidationRef) -> str:
    files = "1 file" if heads.files == 1 else f"{heads.files:,} files"
    if heads.whole:
        looked = f"all {validation.rows:,} rows"
    else:
        looked = f"the first {validation.rows:,} of {'' if heads.counted else 'about '}{heads.rows:,} rows"
    return f"{files}; {looked} looked at: {validation.kept:,} keep the contract"


def _validated(raw: DatasetRef, contract: Contract, config: PipelineConfig, home: Path) -> ValidationRef:
    """Validate as a run does; of types that cannot be read every one is named, where a run ends at the first."""
    try:
        return run_validate(raw, contract, config.validation, home, _HERE)
    except SchemaMismatchError as error:
        raise SchemaMismatchError("\n".join(_wrong_types(raw, contract)) or str(error)) from error


def _wrong_types(raw: DatasetRef, contract: Contract) -> Iterator[str]:
    first = read_manifest(raw).partitions[0]
    table = read_partition(raw.folder, first, [column.name for column in contract.columns])
    for column in contract.columns:
        try:
            parse_table(table, contract, [column.name])
        except SchemaMismatchError as error:
            yield f"{contract.path}:{column.line}: {error}"


def _kept_targets(raw: DatasetRef, validation: ValidationRef, contract: Contract, targets: tuple[str, ...]) -> pa.Table:
    """Return the target's columns, typed, of the rows that keep the contract."""
    tables = []
    for index, partition in enumerate(read_manifest(raw).partitions):
        rules, _ = read_verdicts(validation.folder, index)
        read = parse_table(read_partition(raw.folder, partition, list(targets)), contract, targets).table
        tables.append(read.filter(pa.array(rules == NO_RULE)))
    return pa.concat_tables(tables)


def _unknown(heads: Heads, contract: Contract) -> Iterator[str]:
    known = {column.name for column in contract.columns}
    unknown = [name for name in heads.names if name not in known]
    if unknown:
        shown = ", ".join(f"`{name}`" for name in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        yield f"{contract.path}: the contract does not name these columns, and a run leaves them out: {shown}{more}"


def _broken(quarantined: dict[str, int], validation: ValidationRef, contract: Contract) -> Iterator[str]:
    """Yield a sentence for each rule that rows would be quarantined for, the worst first."""
    outcomes = {outcome.id: outcome for outcome in read_outcomes(validation)}
    for rule, rows in sorted(quarantined.items(), key=lambda each: (-each[1], each[0])):
        share = f"{rows:,} of {validation.rows:,} rows ({rows / validation.rows:.1%}) would be quarantined"
        if rule == BROKEN_CSV_ROW:
            yield f"{share}: they cannot be split into fields\n  do: look at what wrote them, and at `source.delimiter`"
        else:
            place = f"{contract.path}:{outcomes[rule].line}"
            yield f"{place}: {_said(outcomes[rule])}: {share}\n  do: mend the data, or the rule"


def _said(outcome: RuleOutcome) -> str:
    shown = list(dict.fromkeys(outcome.examples))[:_SHOWN]
    examples = f", got such as {', '.join(f'`{each}`' for each in shown)}" if shown else ""
    return f"{', '.join(f'`{name}`' for name in outcome.columns)}: expected {outcome.expected}{examples}"


def _share(validation: ValidationRef, contract: Contract, config: PipelineConfig, *, whole: bool) -> Iterator[str]:
    most, share = config.validation.max_quarantined, validation.quarantined / validation.rows
    if share <= most and validation.kept:
        return
    said = (
        f"{validation.quarantined:,} of {validation.rows:,} rows ({share:.1%}) break contract {contract.name} "
        f"({contract.path}), and validate.max_quarantined allows {most:.1%}"
    )
    if whole or not validation.kept:
        worst = next(_broken(dict(read_counts(validation).quarantined), validation, contract))
        raise ContractBrokenError(f"{said}; the worst rule:\n  {worst}")
    yield f"{said}: a run would stop if all rows were like the first\n  do: look at the rules above"
