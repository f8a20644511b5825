"""Over any home: what a root leads to stays, a second sweep finds nothing, and a kill at any point harms nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.retention.items import GONE
from tasks.retention.policy import RetentionPolicy
from tasks.retention.survey import Survey, survey
from tasks.retention.sweep import removals, sweep
from tests.tasks.retention.homes import NOW, OLD, Home, digest

AGES = st.sampled_from([0.5, 5.0, OLD])
SOME = st.frozensets(st.integers(0, 7), max_size=3)
CONTENTS = [
    f"{kind}/{digest(index)}" for index, kind in enumerate(("checkpoints", "datasets", "bundles", "splits") * 2)
]


@st.composite
def plans(draw: Callable[..., Any]) -> dict[str, Any]:
    """What stands in a home: for each thing its age and which contents it refers to."""
    versions = draw(st.lists(st.tuples(AGES, SOME), max_size=5))
    numbers = st.integers(1, len(versions)) if versions else st.none()
    ages = sorted(draw(st.lists(AGES, max_size=5)), reverse=True)
    return {
        "contents": draw(st.lists(st.tuples(AGES, SOME), min_size=8, max_size=8)),
        "versions": versions,
        "champions": draw(st.lists(numbers, max_size=3)) if versions else [],
        "also": draw(st.lists(numbers, max_size=2)) if versions else [],
        "runs": [
            (age, draw(SOME), draw(st.one_of(st.none(), numbers)), draw(st.sampled_from("ab")), draw(st.booleans()))
            for age in ages
        ],
        "records": draw(st.lists(st.tuples(AGES, SOME), max_size=4)),
        "trainings": draw(st.lists(st.tuples(AGES, SOME, st.booleans()), max_size=3)),
        "policy": RetentionPolicy(
            keep_runs=draw(st.integers(0, 2)),
            keep_days=draw(st.sampled_from([1.0, 10.0])),
            keep_versions=draw(st.integers(1, 2)),
        ),
    }


class Built:
    """The home of a plan, with who refers to whom and who is a root, as the plan says and not as the code reads it."""

    def __init__(self, folder: Path, plan: dict[str, Any]) -> None:
        self.home = Home(folder)
        self.refers: dict[str, set[str]] = {}
        self.ages: dict[str, float] = {}
        self.policy: RetentionPolicy = plan["policy"]
        for path, (age, some) in zip(CONTENTS, plan["contents"], strict=True):
            kind, _, name = path.partition("/")
            index = next(each for each in range(8) if digest(each) == name)
            self._note(self.home.content(kind, index, _paths(some), age), age, some)
        for number, (age, some) in enumerate(plan["versions"], 1):
            self._note(self.home.version(number, _paths(some), age), age, some)
        self.roots = self._models(plan) | self._runs(plan) | self._work(plan)
        self.roots |= {path for path, age in self.ages.items() if age < 1}

    def _note(self, path: str, age: float, some: frozenset[int], *more: str) -> str:
        self.refers[path], self.ages[path] = set(_paths(some)) | set(more), age
        return path

    def _models(self, plan: dict[str, Any]) -> set[str]:
        *history, champion = plan["champions"] or [None]
        if champion is not None:
            self.home.point(champion, *history)
        if plan["versions"]:
            self.home.plan(also=[str(each) for each in plan["also"]])
        newest = range(1, len(plan["versions"]) + 1)[-self.policy.keep_versions :]
        return {f"models/m/{each}" for each in (*plan["champions"], *plan["also"], *newest)}

    def _runs(self, plan: dict[str, Any]) -> set[str]:
        roots: set[str] = set()
        finished: dict[str, list[str]] = {}
        made: set[int] = set()
        for index, (age, some, number, pipeline, config) in enumerate(plan["runs"]):
            version = None if number is None else f"models/m/{number}"
            name = f"{pipeline}/2026-{index}"
            path = self.home.run(name, _paths(some), age, version=version, config=config)
            # A run that did not come to its end says nothing of what it used.
            self._note(path, age, some if version else frozenset(), *([version] if version else []))
            if version is not None:
                finished.setdefault(pipeline, []).append(path)
                roots |= {path} if number in plan["champions"] and number not in made else set()
                made.add(number)
            if age < self.policy.keep_days:
                roots.add(path)
        for paths in finished.values():
            roots |= set(paths[max(0, len(paths) - self.policy.keep_runs) :])
        return roots

    def _work(self, plan: dict[str, Any]) -> set[str]:
        recent = set()
        for index, (age, some) in enumerate(plan["records"]):
            path = self._note(self.home.record(("record", index), _paths(some), age), age, some)
            recent |= {path} if age < self.policy.keep_days else set()
        for index, (age, some, done) in enumerate(plan["trainings"]):
            path = self._note(self.home.training(index, _paths(some), age), age, some)
            if done:
                self._note(self.home.record(index, [CONTENTS[0]], age), age, frozenset({0}))
            elif age < self.policy.keep_days:
                recent.add(path)
        return recent

    def reachable(self) -> set[str]:
        found, waiting = set(), list(self.roots)
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += self.refers[path]
        return found

    def survey(self) -> Survey:
        return survey(self.home.folder, self.policy, NOW)


def _paths(some: frozenset[int]) -> list[str]:
    return [CONTENTS[index] for index in sorted(some)]


@contextmanager
def built(plan: dict[str, Any]) -> Iterator[Built]:
    with TemporaryDirectory() as folder:
        yield Built(Path(folder) / "home", plan)


def gone(found: Survey) -> set[str]:
    return {verdict.item.path for verdict in found.goes}


def below(files: dict[str, bytes], paths: set[str]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if any(f"{name}/".startswith(f"{p}/") for p in paths)}


@settings(max_examples=40)
@given(plans(), st.booleans())
def test_what_a_root_leads_to_never_goes_and_a_second_sweep_finds_nothing(plan: dict[str, Any], one: bool) -> None:
    with built(plan) as each:
        if one and plan["runs"]:
            each.policy = each.policy.model_copy(update={"pipeline": plan["runs"][0][3]})
        found, files = each.survey(), each.home.files()
        reachable = each.reachable()
        assert not gone(found) & reachable
        assert not sweep(found).left
        assert each.home.files() == {n: c for n, c in files.items() if n not in below(files, gone(found))}
        assert below(each.home.files(), reachable) == below(files, reachable)
        assert not gone(each.survey())


@settings(max_examples=20)
@given(plans(), st.data())
def test_a_kill_at_any_point_leaves_what_stays_and_the_next_sweep_finishes(plan: dict[str, Any], data: Any) -> None:
    with built(plan) as each:
        found, files = each.survey(), each.home.files()
        done = data.draw(st.integers(0, len(found.goes)))
        for _ in zip(range(done), removals(found), strict=False):
            pass
        torn_down(each.home, found, done)
        stays = {verdict.item.path for verdict in found.stays}
        assert below(each.home.files(), stays) == below(files, stays)
        left = {path.rpartition("/")[2] for path in gone(each.survey()) if GONE not in path}
        assert left <= {path.rpartition("/")[2] for path in gone(found)}
        sweep(each.survey())
        rest = each.home.files()
        assert rest == {name: content for name, content in files.items() if name not in below(files, gone(found))}


def torn_down(home: Home, found: Survey, done: int) -> None:
    """Leave the next thing as a kill in the middle of its removal does."""
    if done < len(found.goes):
        path = home.folder / found.goes[done].item.path
        if path.is_dir():
            half = path.rename(path.with_name(f"{GONE}{done}"))
            shutil.rmtree(next(half.iterdir()), ignore_errors=True)
