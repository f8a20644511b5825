"""`headrace gc`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.outcome import print_json, tell

if TYPE_CHECKING:
    from tasks.retention.survey import Survey, Verdict
    from tasks.retention.sweep import Swept

_LARGEST = 10
_DAY = 86_400


@click.command()
@click.option("--keep-runs", type=click.IntRange(0), default=10, show_default=True, help="Newest runs of a pipeline.")
@click.option("--keep-days", type=click.FloatRange(0), default=30, show_default=True, help="Whatever is younger.")
@click.option("--keep-versions", type=click.IntRange(1), default=5, show_default=True, help="Newest of a model.")
@click.option("--grace-hours", type=click.FloatRange(0), default=24, show_default=True, help="Never touch younger.")
@click.option("--pipeline", metavar="NAME", help="Only what this pipeline's runs made.")
@click.option("--delete", is_flag=True, help="Do it; without this, only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="End with one machine-readable object.")
def command(delete: bool, as_json: bool, **settings: Any) -> None:
    """Remove old runs and versions, and the data that nothing refers to any more.

    Champions, former champions, versions in a traffic plan, and all that these refer to always stay; so does what a run
    that is at work uses, or what one that was killed would go on from.

    \b
    Example:
      headrace gc
      headrace gc --keep-runs 3 --keep-days 7 --delete
    """
    from pydantic import ValidationError

    from tasks.retention.policy import RetentionPolicy
    from tasks.retention.survey import survey
    from tasks.retention.sweep import sweep
    from tasks.storage import headrace_home

    try:
        policy = RetentionPolicy(**settings)
    except ValidationError as error:
        wrong = error.errors()[0]
        option = f"--{wrong['loc'][0]}".replace("_", "-")
        raise click.BadParameter(f"{option}: {wrong['msg']}, got {wrong['input']}") from error
    found = survey(headrace_home(), policy, time.time())
    swept = sweep(found) if delete else None
    for line in (*_gone(found, swept), "", *_kept(found.stays), "", *_last_words(found, swept)):
        tell(line)
    if as_json:
        print_json(_told(found, swept))


def _gone(found: Survey, swept: Swept | None) -> list[str]:
    goes = found.goes if swept is None else swept.removed
    rows = [(kind, f"{number:,}", _bytes(size)) for kind, (number, size) in _by_kind(goes).items()]
    title = "would go" if swept is None else "gone"
    lines = [title, *(f"  {kind:<18}{number:>8}  {size:>9}" for kind, number, size in rows)]
    lines.append(f"  {'total':<18}{len(goes):>8,}  {_bytes(sum(verdict.size for verdict in goes)):>9}")
    if goes:
        lines += ["", "the largest"]
    for verdict in _largest(goes):
        days = (found.now - verdict.item.modified) / _DAY
        lines.append(f"  {_bytes(verdict.size):>9}  {_short(verdict.item.path)}  {days:.0f} days old: {verdict.why}")
    return lines


def _kept(stays: Sequence[Verdict]) -> list[str]:
    lines = ["stays"]
    for kind, (number, size) in _by_kind(stays).items():
        reasons = Counter(verdict.why for verdict in stays if verdict.item.kind == kind)
        said = "; ".join(f"{why}: {count:,}" for why, count in reasons.most_common())
        lines.append(f"  {kind:<18}{number:>8,}  {_bytes(size):>9}  {said}")
    lines.append(f"  {'total':<18}{len(stays):>8,}  {_bytes(sum(verdict.size for verdict in stays)):>9}")
    return lines


def _last_words(found: Survey, swept: Swept | None) -> list[str]:
    if swept is None:
        return ["nothing was removed; add --delete to do it" if found.goes else "there is nothing to remove"]
    if swept.busy:
        return [f"nothing was removed: a run is at work in {found.home}, or has just begun; try again when it is done"]
    left = [f"{_short(verdict.item.path)} stays: it came into use meanwhile" for verdict in swept.left]
    return [*left, f"removed {len(swept.removed):,} from {found.home}"]


def _told(found: Survey, swept: Swept | None) -> dict[str, Any]:
    goes = found.goes if swept is None else swept.removed
    status = "dry run" if swept is None else "busy" if swept.busy else "removed"
    return {
        "status": status,
        "home": str(found.home),
        "policy": found.policy.model_dump(mode="json"),
        "bytes": sum(verdict.size for verdict in goes),
        "goes": [_row(verdict) for verdict in goes],
        "stays": [_row(verdict) for verdict in found.stays],
        "left": [] if swept is None else [_row(verdict) for verdict in swept.left],
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    item = verdict.item
    said = {"kind": item.kind, "path": item.path, "bytes": verdict.size, "why": verdict.why}
    return said | ({"used_by": verdict.used_by} if verdict.used_by else {})


def _by_kind(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """Return how many there are of each kind, and their bytes."""
    found: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        number, size = found.get(verdict.item.kind, (0, 0))
        found[verdict.item.kind] = (number + 1, size + verdict.size)
    return found


def _largest(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda verdict: (-verdict.size, verdict.item.path))[:_LARGEST]


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _short(path: str) -> str:
    """Return a path with its digest cut to what tells it from others."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name[:12]}" if len(name) == 64 else path
