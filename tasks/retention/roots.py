"""What stays for its own sake, and why; what it refers to stays with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from serving.bundle.store import ModelStore
from tasks.retention.items import CONTENT, DRIFT, MODELS, RESULTS, TRAINING, Contents, Item, is_gone
from tasks.retention.policy import RetentionPolicy
from tasks.retention.references import References
from tasks.retention.runs import KnownRun, makers, may_go_on

Root = tuple[Item, str]


def find_roots(
    contents: Contents, references: References, runs: Sequence[KnownRun], policy: RetentionPolicy, now: float
) -> Iterator[Root]:
    """Yield what stays, each with a reason; the weightiest reason of a thing comes first.

    Args:
        contents: The home.
        references: What its items refer to.
        runs: Its runs, the oldest first.
        policy: How much is kept.
        now: Seconds since 1970.

    Raises:
        StoreError: A model's pointer or traffic plan is corrupt, so that nobody knows what it names.
    """
    store = ModelStore(contents.home / MODELS)
    yield from _versions(contents, store, runs, policy)
    yield from _runs(store, runs, policy, now)
    yield from _at_work(contents, runs, policy, now)
    yield from _recent(contents, references, policy, now)


def named_versions(store: ModelStore, model: str) -> dict[str, str]:
    """Return the versions that a model's pointer and its traffic plan name, and as what.

    Raises:
        StoreError: One of the two is corrupt.
    """
    champion, plan = store.champion(model), store.traffic(model)
    named: dict[str, str] = {}
    if champion is not None:
        named[champion.version] = "champion"
        for former in champion.history:
            named.setdefault(former.version, "a former champion")
    for version, role in plan.versions():
        named.setdefault(version, f"in the traffic plan ({role})")
    return named


def _versions(
    contents: Contents, store: ModelStore, runs: Sequence[KnownRun], policy: RetentionPolicy
) -> Iterator[Root]:
    made = {
        run.finished.version.partition("/")[0]
        for run in runs
        if run.finished is not None and policy.pipeline in {None, run.pipeline}
    }
    for model in store.models():
        items = {item.name: item for item in contents.of_kind(MODELS) if item.parent == model}
        yield from ((items[name], why) for name, why in named_versions(store, model).items() if name in items)
        numbered = sorted((name for name in items if name.isdecimal()), key=int)
        yield from (
            (items[name], f"of the newest {policy.keep_versions}") for name in numbered[-policy.keep_versions :]
        )
        # Only numbers are handed out; another name is somebody's own.
        yield from ((item, "has a name of its own") for name, item in items.items() if not name.isdecimal())
        if policy.pipeline is not None and model not in made:
            yield from ((item, "of another pipeline") for item in items.values())


def _runs(store: ModelStore, runs: Sequence[KnownRun], policy: RetentionPolicy, now: float) -> Iterator[Root]:
    champions: dict[str, set[str]] = {}
    for model in store.models():
        champion = store.champion(model)
        if champion is not None:
            champions[model] = {champion.digest, *(former.digest for former in champion.history)}
    yield from ((run.item, "made a version that is or was champion") for run in makers(runs, champions))
    for pipeline in sorted({run.pipeline for run in runs}):
        finished = [run for run in runs if run.pipeline == pipeline and run.finished is not None]
        newest = finished[max(0, len(finished) - policy.keep_runs) :]
        yield from ((run.item, f"of the newest {policy.keep_runs}") for run in newest)
    for run in runs:
        if policy.pipeline not in {None, run.pipeline}:
            yield run.item, "of another pipeline"
        if policy.recent(run.item.modified, now):
            yield run.item, f"younger than {policy.keep_days:g} days"


def _at_work(contents: Contents, runs: Sequence[KnownRun], policy: RetentionPolicy, now: float) -> Iterator[Root]:
    """Yield what a run that is unfinished may need; nothing says which results it found made and used."""
    unfinished = may_go_on(runs, policy, now)
    for run in unfinished[-1:]:
        yield from ((item, f"{run.item.path} may go on from it") for item in contents.of_kind(RESULTS))
    busy = [run.item.path for run in unfinished if policy.in_grace(run.item.modified, now)]
    if policy.in_grace(contents.searched, now):
        busy.append("a search")
    for name in busy[-1:]:
        yield from ((item, f"{name} may be at work") for item in contents.of_kind(*CONTENT, RESULTS))


def _recent(contents: Contents, references: References, policy: RetentionPolicy, now: float) -> Iterator[Root]:
    """Yield what is young."""
    young = f"younger than {policy.keep_days:g} days"
    for item in contents.of_kind(DRIFT):
        if policy.pipeline not in {None, item.parent}:
            yield item, "of another pipeline"
        if policy.recent(item.modified, now):
            yield item, young
    for item in contents.of_kind(RESULTS):
        if policy.recent(item.modified, now):
            yield item, young
    for item in contents.of_kind(TRAINING):
        if policy.recent(item.modified, now) and not is_done(contents, references, item):
            yield item, f"unfinished, and {young}"
    for item in contents.items.values():
        if policy.in_grace(item.modified, now) and not is_gone(item):
            yield item, f"written in the last {policy.grace_hours:g} h"


def is_done(contents: Contents, references: References, training: Item) -> bool:
    """Say whether the result of a training is there, which has the same name; then nothing goes on from its work."""
    result = contents.items.get(f"{RESULTS}/{training.name}")
    return result is not None and any(item.kind != TRAINING for item in references.of(result))
