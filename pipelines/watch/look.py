"""One look at the served traffic of a pipeline's model, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipelines.watch.config import WatchConfig
from pipelines.watch.memory import Memory
from pipelines.watch.wording import changes, drifted
from serving.bundle.store import ModelStore
from tasks.drift.drift import DriftConfig, run_drift
from tasks.drift.report import DriftReport
from tasks.errors import NoSamplesError, TooFewRowsError

Verdict = Literal["NoDrift", "Drifted", "TooFewRows", "NoSamples", "NoChampion"]


@dataclass(frozen=True)
class Look:
    """What came of it.

    Attributes:
        said: In a sentence or two.
        version: The champion; None without one.
        report: None where there was nothing to check.
    """

    verdict: Verdict
    said: str
    version: str | None = None
    report: DriftReport | None = None


def look(watch: WatchConfig, model: str, home: Path, memory: Memory, now: datetime) -> Look:
    """Check the champion's samples for drift.

    What is there only later is no error: a champion, samples, enough of them, and labels.

    Args:
        watch: What is checked; its paths are absolute.
        model: The model's name.
        home: The home, whose model store names the champion.
        memory: Rows that an alarm has counted do not count again.
        now: With an offset.

    Raises:
        BundleError: The champion's bundle is broken.
        IntegrityError: It holds no reference.
        DataError: Samples or labels are not what they should be.
        StoreError: The champion pointer is corrupt.
    """
    store = ModelStore(home / "models")
    champion = store.champion(model)
    if champion is None:
        return Look("NoChampion", f"{model} has no champion yet: there is nothing to hold its traffic against")
    version = champion.version
    labels = None if watch.labels is None else Path(watch.labels)
    here = labels is not None and labels.exists()
    config = DriftConfig(
        samples=Path(watch.samples),
        since=memory.begin(version, now - watch.window),
        labels=labels if here else None,
        alarm_rate=watch.alarm_rate,
    )
    try:
        report = run_drift(store.bundle_path(model, version), version, config)
    except NoSamplesError as error:
        return Look("NoSamples", str(error), version)
    except TooFewRowsError as error:
        return Look("TooFewRows", str(error), version)
    if labels is not None and not here:
        report = report.model_copy(update={"notes": (*report.notes, f"{labels}: there are no labels yet")})
    return Look("Drifted" if report.drift else "NoDrift", _said(report), version, report)


def _said(report: DriftReport) -> str:
    if not report.drift:
        return f"{report.model} version {report.version}: nothing drifted in {report.rows:,} rows"
    named = drifted(report)
    others = f" and {len(named) - 3} more" if len(named) > 3 else ""
    first = changes(report)[0]
    since = "" if first.since == "-" else f", since {first.since}"
    return (
        f"{report.model} version {report.version}: {', '.join(named[:3])}{others} drifted in {report.rows:,} rows; "
        f"the surest: {first.drifted} {first.what} ({first.how_much}{since})"
    )
