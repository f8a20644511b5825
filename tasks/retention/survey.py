"""What goes and what stays: everything that can be reached from what stays for its own sake stays with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.retention.items import (
    DRIFT,
    KINDS,
    LEFTOVERS,
    MODELS,
    RESULTS,
    RUNS,
    TRAINING,
    Contents,
    Item,
    is_gone,
    read_contents,
)
from tasks.retention.policy import RetentionPolicy
from tasks.retention.references import References
from tasks.retention.roots import find_roots
from tasks.retention.runs import KnownRun, read_runs, require_pipeline
from tasks.retention.sizes import sizes

# What belongs to a pipeline by its own name.
_LEAD = (RUNS, DRIFT, MODELS)
# Records of a training that its config asked for (`train.logs`) are kept as long as what it made.
_LOGS = ("training.csv", "tensorboard")


@dataclass(frozen=True)
class Verdict:
    """What is done with one thing.

    Attributes:
        item: The thing.
        size: Bytes that it takes; of one that goes, bytes that become free.
        why: In a few words.
        used_by: The path of what keeps it, where it does not stay for its own sake.
    """

    item: Item
    size: int
    why: str
    used_by: str = ""


@dataclass(frozen=True)
class Survey:
    """What `sweep` would do.

    Attributes:
        now: Seconds since 1970.
        goes: In the order in which it goes: what refers before what it refers to.
        stays: In the order of kinds and paths.
    """

    home: Path
    policy: RetentionPolicy
    now: float
    goes: tuple[Verdict, ...]
    stays: tuple[Verdict, ...]


def survey(home: Path, policy: RetentionPolicy, now: float) -> Survey:
    """Say what goes and what stays, and touch nothing.

    Args:
        home: Headrace's folder, which need not exist.
        policy: How much is kept.
        now: Seconds since 1970.

    Raises:
        ConfigError: The policy names a pipeline that has no runs.
        StoreError: A model's pointer or traffic plan is corrupt, so that nobody knows what it names.
    """
    require_pipeline(home, policy)
    contents = read_contents(home)
    runs = read_runs(contents)
    kept = _Kept(contents)
    kept.keep_needed(runs, policy, now)
    if policy.pipeline is not None:
        kept.keep_others()
    ordered = sorted(contents.items.values(), key=lambda item: (KINDS.index(item.kind), item.path))
    goes, stays = ([item for item in ordered if (item.path in kept.why) is stay] for stay in (False, True))
    freed, taken = sizes(goes, partly=False), sizes(stays, partly=True)
    return Survey(
        home=home,
        policy=policy,
        now=now,
        goes=tuple(Verdict(item, size, _why_not(item, policy)) for item, size in zip(goes, freed, strict=True)),
        stays=tuple(Verdict(item, size, *kept.why[item.path]) for item, size in zip(stays, taken, strict=True)),
    )


class _Kept:
    """What stays: its path, the reason, and the path of what it is there for, if not for its own sake."""

    def __init__(self, contents: Contents) -> None:
        self.why: dict[str, tuple[str, str]] = {}
        self._contents = contents
        self._references = References(contents)

    def keep_needed(self, runs: Sequence[KnownRun], policy: RetentionPolicy, now: float) -> None:
        """Keep all that the policy keeps, what that refers to, and the results that lead to it."""
        records, trainings = (self._contents.of_kind(kind) for kind in (RESULTS, TRAINING))
        self._mark(self.why, find_roots(self._contents, self._references, runs, policy, now))
        logs = [item for item in trainings if _has_logs(item) and self._leads_to_kept(item.name)]
        self._mark(self.why, [(item, "holds the logs of a training that stays") for item in logs])
        for record in records:
            if self._leads_to_kept(record.name):
                self.why.setdefault(record.path, ("leads to what stays", ""))

    def keep_others(self) -> None:
        """Keep what no run or version that goes has led to; whose it is, nothing says."""
        items = self._contents.items.values()
        led_to: dict[str, tuple[str, str]] = {}
        self._mark(led_to, [(item, "") for item in items if item.kind in _LEAD and item.path not in self.why])
        goes = led_to.keys() - self.why.keys()
        names = {
            record.name
            for record in self._contents.of_kind(RESULTS)
            if any(item.path in goes for item in self._references.of(record))
        }
        own = goes | {f"{kind}/{name}" for kind in (RESULTS, TRAINING) for name in names}
        own |= {item.path for item in items if is_gone(item)}
        self._mark(self.why, [(item, "of another pipeline") for item in items if item.path not in own])

    def _mark(self, marked: dict[str, tuple[str, str]], roots: Iterable[tuple[Item, str]]) -> None:
        """Add these, and all that can be reached from them."""
        waiting: list[tuple[Item, str]] = []
        for item, why in roots:
            if item.path not in marked:
                marked[item.path] = (why, "")
                waiting.append((item, item.path))
        while waiting:
            item, root = waiting.pop()
            for each in self._references.of(item):
                if each.path not in marked:
                    marked[each.path] = ("used by what stays", root)
                    waiting.append((each, root))

    def _leads_to_kept(self, name: str) -> bool:
        """Say whether there is a result of that name and all that it refers to stays."""
        record = self._contents.items.get(f"{RESULTS}/{name}")
        found = [] if record is None else [each for each in self._references.of(record) if each.kind != TRAINING]
        return bool(found) and all(item.path in self.why for item in found)


def _has_logs(training: Item) -> bool:
    return any(part in _LOGS for entry in training.entries for part in entry.path.split("/"))


def _why_not(item: Item, policy: RetentionPolicy) -> str:
    if item.kind == RUNS:
        return f"older than {policy.keep_days:g} days, and not of the newest {policy.keep_runs}"
    if item.kind == DRIFT:
        return f"older than {policy.keep_days:g} days"
    if item.kind == MODELS:
        return f"never champion, and not of the newest {policy.keep_versions}"
    return "left by a kill" if item.kind == LEFTOVERS else "nothing that stays refers to it"
