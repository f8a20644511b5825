"""The runs of a home: which came to their end, and which may go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from serving.bundle.writing import folder_names
from tasks.errors import ConfigError
from tasks.retention.items import RUNS, Contents, Item
from tasks.retention.policy import RetentionPolicy
from tasks.retention.references import Finished, read_finished, read_settings


@dataclass(frozen=True)
class KnownRun:
    """A run.

    Attributes:
        item: Its folder.
        finished: What it said at its end; None where there was none yet.
        settings: Its resolved config.
    """

    item: Item
    finished: Finished | None
    settings: bytes | None

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.item.parent


def read_runs(contents: Contents) -> list[KnownRun]:
    """Read all runs, the oldest first: a run's id begins with the time of its start."""
    home, items = contents.home, sorted(contents.of_kind(RUNS), key=lambda item: item.name)
    return [KnownRun(item, read_finished(home, item), read_settings(home, item)) for item in items]


def require_pipeline(home: Path, policy: RetentionPolicy) -> None:
    """See that a pipeline that is named has ever run.

    Raises:
        ConfigError: It has not.
    """
    known = sorted(folder_names(home / RUNS))
    if policy.pipeline is None or policy.pipeline in known:
        return
    near = get_close_matches(policy.pipeline, known, n=1)
    raise ConfigError(
        f"--pipeline {policy.pipeline!r}: it has no runs in {home}; expected one of: {', '.join(known) or '(none)'}\n"
        f"  do: {f'write {near[0]!r}' if near else 'name a pipeline as its config does'}"
    )


def may_go_on(runs: Sequence[KnownRun], policy: RetentionPolicy, now: float) -> list[KnownRun]:
    """Return the runs that are at work or were stopped, and that somebody may still want to go on with.

    One that is older than `keep_days` is given up, and one whose settings a later run has brought to its end has gone
    on already.
    """
    found = []
    for index, run in enumerate(runs):
        gone_on = any(
            later.finished is not None and later.pipeline == run.pipeline and later.settings == run.settings
            for later in runs[index + 1 :]
        )
        if run.finished is None and not gone_on and policy.recent(run.item.modified, now):
            found.append(run)
    return found


def makers(runs: Sequence[KnownRun], digests: Mapping[str, Set[str]]) -> list[KnownRun]:
    """Return, for each bundle, the first run that made it; later ones found it made.

    Args:
        runs: The oldest first.
        digests: By model, the digests of the bundles that are asked for.
    """
    found: dict[tuple[str, str], KnownRun] = {}
    for run in runs:
        if run.finished is None:
            continue
        model = run.finished.version.partition("/")[0]
        if run.finished.digest in digests.get(model, ()):
            found.setdefault((model, run.finished.digest), run)
    return list(found.values())
