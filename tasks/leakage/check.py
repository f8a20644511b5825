"""The leakage check: looks for what a model could learn in training and will not have, or not fairly, afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

from data_contracts.yaml_lines import nearest
from tasks.data.partitions import Manifest, read_manifest
from tasks.data.split import SPLITS
from tasks.engine import DaskConfig, merge_partitions, open_client
from tasks.errors import ConfigError, LeakageError
from tasks.leakage.examples import picker, with_examples
from tasks.leakage.findings import KINDS, Finding, Leaks
from tasks.leakage.instants import first_of_test
from tasks.leakage.judge import judge
from tasks.leakage.occurrences import bound_for
from tasks.leakage.plan import LeakageConfig, LeakagePlan
from tasks.leakage.survey import Place, Scope, Survey, survey_partition
from tasks.references import DatasetRef, LeakageRef, SplitRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json

FINDINGS = "findings.json"

_logger = logging.getLogger(__name__)
_MOST_LINES = 10


def run_leakage(clean: DatasetRef, split: SplitRef, plan: LeakagePlan, home: Path, dask: DaskConfig) -> LeakageRef:
    """Look for leaks in a dataset that was split; writes `findings.json` and stops nothing.

    Every row is read once (those of a finding a second time). Memory is bounded: the features are judged one at a time
    on about `plan.sample` rows, and of the distinct rows and groups a fair sample is kept where they are very many.

    Raises:
        ConfigError: The plan names a column that the dataset has not kept.
        IntegrityError: The dataset or its split is gone, torn or altered.
        DiskFullError: There is no space left; nothing half-written stays.
    """
    manifest = read_manifest(clean)
    _require_columns(manifest, plan)
    total = sum(split.rows[name] for name in SPLITS)
    with open_client(dask) as client:
        test = first_of_test(client, clean, split, plan.time_split) if plan.time_split is not None else None
        share = plan.sample / max(1, split.rows["train"] + split.rows["validation"])
        scope = Scope(share, bound_for(total), test)
        work = partial(survey_partition, clean=clean, split=split, plan=plan, scope=scope)
        survey = merge_partitions(client, work, list(_places(manifest)), Survey.merge, label="leakage")
    findings, notes = judge(survey, plan, split.rows)
    leaks = Leaks(
        findings=tuple(
            with_examples(found, clean, split, plan, picker(found, survey, plan, split.rows, test))
            for found in findings
        ),
        notes=tuple(notes),
        rows=total,
        sampled=sum(len(sample.train) for sample in survey.samples),
    )
    folder = home / "leakage"
    named = DigestName()
    with new_folder(folder, named) as fresh:
        write_json(fresh / FINDINGS, leaks.model_dump(mode="json"))
    return LeakageRef(path=str(folder / named.digest), digest=named.digest, found=len(leaks.findings))


def require_no_leaks(leaks: LeakageRef, config: LeakageConfig) -> tuple[str, ...]:
    """Stop where a leak was found that the config does not accept by its name.

    Returns:
        What people should know although it stops nothing: the check's notes, what was accepted, and accepted names
        that were not found. The first of them are logged too.

    Raises:
        LeakageError: There are findings beyond those in `leakage.accept`; each is named with its examples.
        IntegrityError: The findings are gone.
    """
    found = read_leaks(leaks)
    refused = [finding for finding in found.findings if finding.name not in config.accept]
    if refused:
        names = ", ".join(f"'{finding.name}'" for finding in refused)
        raise LeakageError(
            f"leakage: {len(refused)} finding{'s' if len(refused) > 1 else ''} "
            f"({leaks.folder / FINDINGS}):{''.join(map(_said, refused))}\n"
            "  do: leave the columns out (preprocess.exclude), or split so that rows which belong together stay "
            f"together (split.method); what is meant to be so is accepted by name: leakage: {{accept: [{names}]}}"
        )
    notes = (*found.notes, *_about_accepted(found, config))
    for note in notes[:_MOST_LINES]:
        _logger.info("leakage    %s", note)
    if len(notes) > _MOST_LINES:
        _logger.info("leakage    and %d notes more, in %s", len(notes) - _MOST_LINES, leaks.folder / FINDINGS)
    return notes


def read_leaks(leaks: LeakageRef) -> Leaks:
    """Read what was found.

    Raises:
        IntegrityError: The file is gone.
    """
    path = leaks.folder / FINDINGS
    with naming_lost(path, "the leakage check's findings are"):
        return Leaks.model_validate_json(path.read_bytes())


def _require_columns(manifest: Manifest, plan: LeakagePlan) -> None:
    missing = [name for name in plan.columns if name not in manifest.columns]
    if missing:
        raise ConfigError(
            f"leakage: the cleaned dataset has no column {', '.join(f'`{name}`' for name in missing[:5])}; "
            f"it has {', '.join(manifest.columns)}\n"
            "  do: take the column out of leakage.groups, leakage.event_time and the features, or keep it in cleaning"
        )


def _places(manifest: Manifest) -> Iterator[Place]:
    firsts = accumulate((partition.rows for partition in manifest.partitions), initial=0)
    for index, (partition, first) in enumerate(zip(manifest.partitions, firsts, strict=False)):
        yield Place(index, partition, first)


def _said(finding: Finding) -> str:
    examples = f"\n      such as {'; '.join(finding.examples)}" if finding.examples else ""
    return f"\n  - {finding.name}: {finding.what} (allowed: {finding.threshold:g}){examples}"


def _about_accepted(found: Leaks, config: LeakageConfig) -> Iterator[str]:
    names = {finding.name: finding for finding in found.findings}
    for name in config.accept:
        if name in names:
            yield f"{name} is accepted: {names[name].what}"
            continue
        kind = name.partition(":")[0]
        close = None if kind in KINDS else nearest(kind, KINDS)
        yield f"{name} is accepted but was not found" + (f"; did you mean {close}?" if close else "")
