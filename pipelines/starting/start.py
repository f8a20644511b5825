"""From somebody's own data to a contract and a config that hold on it."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from pipelines.starting.draft import Draft, first_draft
from pipelines.starting.editor import with_schema
from pipelines.starting.images import is_image_folder, start_images
from pipelines.starting.proof import proven
from pipelines.starting.request import Request, Started, pipeline_name, places, relative, write_all
from tasks.data.sources import list_files
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.profiling.chosen import find_columns
from tasks.profiling.facts import ColumnFacts, facts_of
from tasks.profiling.profile import Profiled, plain_form, run_profile
from tasks.profiling.sniff import require_readable, sniff
from tasks.profiling.targets import guess_problem, no_target
from tasks.storage import is_remote, place

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes/no", "date": "date",
          "timestamp": "date and time"}  # fmt: skip
_SHOWN = 40


def start(request: Request, dask: DaskConfig | None = None) -> Started:
    """Look at data, guess what a pipeline for it needs, prove it on all rows, and write contract and config.

    Args:
        request: What is asked for.
        dask: Where the work is done; by default on threads of this process.

    Raises:
        ConfigError: No target is named, or there is no such column, or it cannot be predicted; or the files are there.
        DataError: The data cannot be read, or not be learned from.
    """
    if is_remote(place(request.source)):
        raise DataError(
            f"{request.source}: init looks at files on this machine's disk\n"
            "  do: copy one file here, run init on it, then write the URI into `source.path`"
        )
    path = Path(request.source)
    require_readable(path)
    name = pipeline_name(request)
    if is_image_folder(path):
        return start_images(request, name)
    contract, config = places(request, name)
    sniffed = sniff(path)
    dask = dask or DaskConfig()
    with tempfile.TemporaryDirectory(prefix="headrace-init-") as home:
        profiled = run_profile(sniffed.source, Path(home), dask)
        columns = [facts_of(each, found) for each, found in profiled.columns.items()]
        if not request.targets:
            raise no_target(columns, request.source)
        targets = find_columns(request.targets, columns, profiled.left_out, sniffed)
        guess = guess_problem(columns, targets)
        kind = list_files(sniffed.source)[0].format
        draft_of = name, request.source, kind, contract
        draft = first_draft(draft_of, sniffed.source, sniffed.assumed, (columns, profiled.left_out), guess)
        draft = proven(draft, profiled, Path(home), dask)
    texts = {
        contract: draft.contract_text(),
        config: draft.config_text(relative(contract, config.parent), relative(path, config.parent)),
    }
    write_all(with_schema(texts, config))
    return _started(draft, profiled, (contract, config))


def _started(draft: Draft, profiled: Profiled, files: tuple[Path, ...]) -> Started:
    broken = profiled.broken_rows
    found = f"{draft.shown}: {draft.rows:,} rows, {len(draft.columns):,} columns, {draft.format}"
    warnings = [*draft.warnings, *(f"`{each.name}`: {doubt}" for each in draft.columns for doubt in each.doubts)]
    warnings += [f"`{each.name}` has values in the future ({day})" for each in draft.columns if (day := _future(each))]
    warnings += [
        f"`{name}` is left out: no contract can describe its type {kind}; {plain_form(kind)} to use it"
        for name, kind in profiled.left_out.items()
    ]
    if broken:
        warnings.insert(0, f"{broken:,} rows could not be split into fields; a run puts them into quarantine")
    assumed = [f"source.{key}: {why}" for key, why in draft.assumed.items()]
    assumed += [f"`{each.name}`: {why}" for each in draft.columns for why in each.assumed]
    choices = draft.choices
    assumed += [f"split by {choices.split.method}: {choices.split_why}",
                f"gate {choices.metric} {choices.floor}: {choices.floor_why}",
                f"model {choices.model}: {choices.model_why}"]  # fmt: skip
    return Started(
        name=draft.name,
        files=files,
        found=found,
        table=_table(draft),
        problem=f"{draft.guess.problem}: {draft.guess.why}",
        assumed=tuple(assumed),
        warnings=tuple(warnings),
        facts={
            "rows": draft.rows,
            "columns": {each.name: each.kind for each in draft.columns},
            "target": list(draft.guess.targets),
            "problem": draft.guess.problem,
            "features": draft.features(),
            "broken_rows": broken,
            "metric": choices.metric,
            "floor": choices.floor,
        },
    )


def _table(draft: Draft) -> list[list[str]]:
    rows = [["column", "type", "null", "different", "use"]]
    for facts in draft.columns[:_SHOWN]:
        share = f"{100 * facts.nulls / facts.rows:.3g} %" if facts.nulls else "-"
        rows.append([facts.name, _TYPES[facts.kind], share, f"{facts.distinct:,}", _use(facts, draft)])
    if len(draft.columns) > _SHOWN:
        rows.append([f"... {len(draft.columns) - _SHOWN:,} more", "", "", "", ""])
    return rows


def _use(facts: ColumnFacts, draft: Draft) -> str:
    split, name = draft.choices.split, facts.name
    if name in draft.guess.targets:
        return "target"
    if name == draft.roles.key:
        return "key"
    if name == split.column:
        return f"split by {split.method}" + ("" if name in draft.exclude else ", feature")
    return draft.exclude.get(name, "feature").partition(":")[0]


def _future(facts: ColumnFacts) -> str | None:
    if facts.kind not in {"date", "timestamp"} or facts.maximum is None:
        return None
    now = dt.datetime.now(dt.UTC).timestamp() * 1e6
    if facts.maximum <= now + 86_400e6:
        return None
    try:
        return f"up to {dt.datetime.fromtimestamp(facts.maximum / 1e6, dt.UTC).date()}"
    except (ValueError, OverflowError, OSError):
        return "beyond the year 9999"
